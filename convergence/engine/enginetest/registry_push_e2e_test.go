//go:build e2e

package enginetest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// take is the part of a push: a blob in one or more pieces, or a manifest. The mutex is held.
func (r *registry) take(w http.ResponseWriter, request *http.Request, repository, reference string) {
	content, err := io.ReadAll(request.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "BLOB_UPLOAD_INVALID", err.Error())
		return
	}
	path, isBlob := request.URL.Path, strings.HasPrefix(reference, "uploads/")
	switch {
	case request.Method == http.MethodPost:
		path = fmt.Sprintf("/v2/%s/blobs/uploads/%d", repository, len(r.uploads)+1)
		fallthrough
	case request.Method == http.MethodPatch:
		r.uploads[path] = append(r.uploads[path], content...)
		w.Header().Set("Location", path)
		w.Header().Set("Range", fmt.Sprintf("0-%d", max(len(r.uploads[path])-1, 0)))
		w.WriteHeader(http.StatusAccepted)
	case isBlob:
		content = append(r.uploads[path], content...)
		r.blobs[digestOf(content)] = content
		w.Header().Set("Docker-Content-Digest", digestOf(content))
		w.WriteHeader(http.StatusCreated)
	default:
		r.manifests[repository+":"+reference], r.manifests[repository+"@"+digestOf(content)] = content, content
		w.Header().Set("Docker-Content-Digest", digestOf(content))
		w.WriteHeader(http.StatusCreated)
	}
}
