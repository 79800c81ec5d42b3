package docker

import (
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

// headers go with every request: HttpHeaders of the docker CLI's configuration, or in their place DOCKER_CUSTOM_HEADERS, a
// list name=value,... in which an entry may be quoted as in a CSV file (docker/cli, withCustomHeadersFromEnv). The library
// sets its own over them.
func (s settings) headers() (map[string]string, error) {
	value := s.Env("DOCKER_CUSTOM_HEADERS")
	if value == "" {
		return maps.Clone(s.file.HTTPHeaders), nil
	}
	headers, err := parseHeaders(value)
	if err != nil { // the value stays out of it: headers are where passwords are
		return nil, fmt.Errorf("read DOCKER_CUSTOM_HEADERS: %w", err)
	}
	return headers, nil
}

func parseHeaders(value string) (map[string]string, error) {
	entries, err := csv.NewReader(strings.NewReader(value)).Read()
	if err != nil {
		return nil, errors.New("it is no list of name=value, ...")
	}
	headers := map[string]string{}
	for i, entry := range entries {
		name, content, ok := strings.Cut(entry, "=")
		if name = strings.TrimSpace(name); name == "" || !ok {
			return nil, fmt.Errorf("entry %d is not name=value", i+1)
		}
		headers[http.CanonicalHeaderKey(name)] = content
	}
	return headers, nil
}
