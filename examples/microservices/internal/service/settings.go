package service

import (
	"fmt"
	"log/slog"
	"time"
)

// Settings are read from the environment: the same image runs everywhere.
type Settings struct {
	env func(string) string
}

// Text is a variable's value, or the fallback when it is unset or empty.
func (s Settings) Text(name, fallback string) string {
	if value := s.env(name); value != "" {
		return value
	}
	return fallback
}

// Duration is a variable's value as a duration such as "500ms".
func (s Settings) Duration(name string, fallback time.Duration) (time.Duration, error) {
	value := s.env(name)
	if value == "" {
		return fallback, nil
	}
	duration, err := time.ParseDuration(value)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	return duration, nil
}

// Listen is the address to serve on, LISTEN.
func (s Settings) Listen() string { return s.Text("LISTEN", ":8080") }

// level is LOG_LEVEL: debug, info, warn or error.
func (s Settings) level() (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.Text("LOG_LEVEL", "info"))); err != nil {
		return level, fmt.Errorf("read LOG_LEVEL: %w", err)
	}
	return level, nil
}
