package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// page is what is asked for and hoped for.
type page struct {
	url    string
	form   url.Values // sent once, before the page is fetched
	expect string     // text that the page must have
}

// getPage fetches a page and prints it; a bare machine has no curl. With --expect it asks again until the text is there.
func getPage(ctx context.Context, t tool, args []string) error {
	wanted := page{form: url.Values{}}
	flags := flag.NewFlagSet("get", flag.ContinueOnError)
	flags.SetOutput(t.err)
	flags.StringVar(&wanted.expect, "expect", "", "text that the page must have")
	within := flags.Duration("within", 10*time.Second, "how long to try")
	flags.Func("form", "NAME=VALUE to send as a form first", func(pair string) error {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("%q is not NAME=VALUE", pair)
		}
		wanted.form.Add(name, value)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return errSilent
	}
	if flags.NArg() != 1 {
		return errors.New("usage: get [--form NAME=VALUE]... [--expect TEXT] URL")
	}
	wanted.url = flags.Arg(0)
	limited, cancel := context.WithTimeout(ctx, *within)
	defer cancel()
	body, err := fetchPage(limited, wanted)
	if err != nil {
		return err
	}
	fmt.Fprintln(t.out, strings.TrimSpace(body))
	return nil
}

func fetchPage(ctx context.Context, wanted page) (string, error) {
	if len(wanted.form) > 0 {
		if _, err := ask(ctx, http.MethodPost, wanted.url, wanted.form); err != nil {
			return "", err
		}
	}
	const pause = 200 * time.Millisecond
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		body, err := ask(ctx, http.MethodGet, wanted.url, nil)
		if err == nil && strings.Contains(body, wanted.expect) {
			return body, nil
		}
		if wanted.expect == "" {
			return "", err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return "", fmt.Errorf("page %s never had the text %q: %w", wanted.url, wanted.expect, ctx.Err())
		}
	}
}

func ask(ctx context.Context, method, address string, form url.Values) (body string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("fetch page: %w", err)
	}
	if len(form) > 0 {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("fetch page: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written through it
	const most = 1 << 20
	content, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return "", fmt.Errorf("fetch page: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("fetch page %s: %s", address, response.Status)
	}
	return string(content), nil
}
