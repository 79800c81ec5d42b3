package cli

import (
	"testing"
	"time"
)

func TestMoments(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("here", 3600)
	now := time.Date(2026, 1, 2, 15, 4, 5, 0, zone)
	for value, want := range map[string]time.Time{
		"":                              {},
		"42m":                           now.Add(-42 * time.Minute),
		"1h30m":                         now.Add(-90 * time.Minute),
		"-5s":                           now.Add(5 * time.Second),
		"2026-01-02T10:00:00Z":          time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC),
		"2026-01-02T10:00:00.5+02:00":   time.Date(2026, 1, 2, 8, 0, 0, 500_000_000, time.UTC),
		"2026-01-02T10:00":              time.Date(2026, 1, 2, 10, 0, 0, 0, zone),
		"2026-01-02T10:00:00.000000001": time.Date(2026, 1, 2, 10, 0, 0, 1, zone),
		"2026-01-02":                    time.Date(2026, 1, 2, 0, 0, 0, 0, zone),
		"2026-01-02Z":                   time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		"1136073600":                    time.Unix(1136073600, 0),
		"1136073600.000000001":          time.Unix(1136073600, 1),
		"0":                             now, // a duration, as it is for docker
	} {
		if got, err := parseMoment("since", value, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v, want %v", value, got, err, want)
		}
	}
	for _, value := range []string{"yesterday", "2026-13-01", "1.2.3", "9999999999999999999999", "."} {
		if got, err := parseMoment("since", value, now); err == nil {
			t.Errorf("%q: %v and no error", value, got)
		}
	}
}
