package project

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Fingerprint is what [LabelSpec] holds: the fields of an object as they were when it was made. Sensitive values are in it only
// as digests with a salt of the object's own, so that equal values cannot be told between objects.
type Fingerprint struct {
	Version int               `json:"v"`
	Salt    string            `json:"salt"`
	Fields  map[string]string `json:"fields"`
}

// fingerprintVersion is the form that this version of Muster writes. A reader that meets a newer one does not understand it.
const fingerprintVersion = 1

// Marks of the kinds of value in a fingerprint.
const (
	markPlain  = "="
	markDigest = "#"
	markHidden = "!" // a digest, too
)

// ErrNoFingerprint says that an object carries no fingerprint, or one that this version does not understand: it was made by
// docker compose, or by a newer Muster.
var ErrNoFingerprint = errors.New("no fingerprint")

// NewSalt returns a salt for a fingerprint.
func NewSalt() string {
	const size = 8
	salt := make([]byte, size)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	return hex.EncodeToString(salt)
}

// Seal makes the label's value: base64 of gzipped JSON. The same fields and salt always give the same text.
func (f Fields) Seal(salt string) string {
	sealed := Fingerprint{Version: fingerprintVersion, Salt: salt, Fields: make(map[string]string, len(f))}
	for path, field := range f {
		sealed.Fields[path] = field.seal(path, salt)
	}
	var buffer bytes.Buffer
	encoder := base64.NewEncoder(base64.StdEncoding, &buffer)
	compressor := gzip.NewWriter(encoder)
	// Writing to memory does not fail, and a map of strings always marshals.
	_ = json.NewEncoder(compressor).Encode(sealed)
	_ = compressor.Close()
	_ = encoder.Close()
	return buffer.String()
}

func (f Field) seal(path, salt string) string {
	switch {
	case f.Hidden:
		return markHidden + f.digest(path, salt)
	case f.Sensitive:
		return markDigest + f.digest(path, salt)
	}
	return markPlain + f.Value
}

func (f Field) digest(path, salt string) string {
	const length = 16
	mac := hmac.New(sha256.New, []byte(salt))
	_, _ = io.WriteString(mac, path+"\x00"+f.Value)
	return hex.EncodeToString(mac.Sum(nil))[:length]
}

// matches says whether a sealed value is this one. That it came from elsewhere then, and so was sealed otherwise, is no difference.
func (f Field) matches(sealed, path, salt string) bool {
	if value, ok := strings.CutPrefix(sealed, markPlain); ok {
		return value == f.Value
	}
	return strings.TrimLeft(sealed, markDigest+markHidden) == f.digest(path, salt)
}

// maxFingerprint bounds what a label may unpack to: labels can be anybody's.
const maxFingerprint = 1 << 20

// OpenFingerprint reads a label's value. The error matches [ErrNoFingerprint].
func OpenFingerprint(label string) (Fingerprint, error) {
	if label == "" {
		return Fingerprint{}, ErrNoFingerprint
	}
	unpacked, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(label)))
	if err != nil {
		return Fingerprint{}, fmt.Errorf("%w: %w", ErrNoFingerprint, err)
	}
	var sealed Fingerprint
	if err := json.NewDecoder(io.LimitReader(unpacked, maxFingerprint)).Decode(&sealed); err != nil {
		return Fingerprint{}, fmt.Errorf("%w: %w", ErrNoFingerprint, err)
	}
	if sealed.Version != fingerprintVersion {
		return Fingerprint{}, fmt.Errorf("%w: version %d", ErrNoFingerprint, sealed.Version)
	}
	return sealed, nil
}

// Change is a field that differs: why an object is not the same.
type Change struct {
	Path string
	// Old and New are the values. A sensitive old value is not known from a fingerprint: it is empty until somebody fills it in.
	Old, New  string
	Added     bool // there was no such field
	Removed   bool // there is no such field any more
	Sensitive bool // Old is not in the fingerprint, and may be filled in
	// Hidden says that neither value is to be known: Old and New are empty, and stay so.
	Hidden bool
}

// Changes are the fields that differ from a fingerprint's, in the order of their paths; none when the object is the same.
func (f Fields) Changes(old Fingerprint) []Change {
	var changes []Change
	for path, field := range f {
		was, had := old.Fields[path]
		if had && field.matches(was, path, old.Salt) {
			continue
		}
		changes = append(changes, Change{
			Path: path, Old: plainValue(was), New: field.Text(), Added: !had,
			Sensitive: field.Sensitive || strings.HasPrefix(was, markDigest),
			Hidden:    field.Hidden || strings.HasPrefix(was, markHidden),
		})
	}
	for path, was := range old.Fields {
		if _, has := f[path]; !has {
			changes = append(changes, Change{
				Path: path, Old: plainValue(was), Removed: true, Sensitive: strings.HasPrefix(was, markDigest),
				Hidden: strings.HasPrefix(was, markHidden),
			})
		}
	}
	for i := range changes {
		if change := &changes[i]; change.Hidden {
			change.Old, change.New, change.Sensitive = "", "", false
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
	return changes
}

// Text is the value for people: a variable without a value is an empty one to them.
func (f Field) Text() string { return strings.TrimPrefix(f.Value, unset) }

// plainValue is a sealed value's text, empty for a digest.
func plainValue(sealed string) string {
	value, plain := strings.CutPrefix(sealed, markPlain)
	if !plain {
		return ""
	}
	return value
}

// Plain is the value of a field that is in the fingerprint as it was; empty where there is none, or only a digest.
func (f Fingerprint) Plain(path string) string { return plainValue(f.Fields[path]) }
