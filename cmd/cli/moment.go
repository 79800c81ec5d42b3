package cli

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// parseMoment reads a moment as the docker CLI takes it: a duration before now ("42m"), a time ("2026-01-02T15:04:05Z", parts of
// which may be left out from the end, local where it has no zone), or seconds since 1970 ("1136073600.000000001"). Empty is none.
func parseMoment(flag, value string, now time.Time) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(value); err == nil {
		return now.Add(-ago), nil
	}
	if moment, ok := parseSeconds(value); ok {
		return moment, nil
	}
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15Z07:00", "2006-01-02Z07:00",
		"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02T15", time.DateOnly,
	} {
		if moment, err := time.ParseInLocation(layout, value, now.Location()); err == nil {
			return moment, nil
		}
	}
	return time.Time{}, fmt.Errorf(
		"invalid value for --%s: %q is neither a duration (42m), nor a time (2026-01-02T15:04:05Z), nor seconds since 1970", flag, value)
}

func parseSeconds(value string) (time.Time, bool) {
	if strings.Trim(value, "0123456789.") != "" {
		return time.Time{}, false
	}
	seconds, ok := new(big.Rat).SetString(value)
	if !ok {
		return time.Time{}, false
	}
	nanoseconds := seconds.Mul(seconds, big.NewRat(int64(time.Second), 1))
	whole := new(big.Int).Quo(nanoseconds.Num(), nanoseconds.Denom())
	if !whole.IsInt64() {
		return time.Time{}, false
	}
	return time.Unix(0, whole.Int64()), true
}
