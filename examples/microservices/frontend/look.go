package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// look is the configuration file: what the page says, and how often it reloads itself.
type look struct {
	Title   string `json:"title"`
	Refresh int    `json:"refresh"` // seconds; 0 means never
}

func readLook(path string) (look, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return look{}, fmt.Errorf("read configuration: %w", err)
	}
	var l look
	if err := json.Unmarshal(data, &l); err != nil {
		return look{}, fmt.Errorf("read configuration in %s: %w", path, err)
	}
	return l, nil
}
