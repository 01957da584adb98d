// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"errors"
	"strings"
	"testing"
)

func TestNormalizeBaseURL(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"https://api.revenium.ai", "https://api.revenium.ai"},
		{"https://api.revenium.ai/", "https://api.revenium.ai"},
		{"https://api.revenium.ai///", "https://api.revenium.ai"},
		{"  https://api.revenium.ai\n", "https://api.revenium.ai"},
		{"https://api.revenium.ai/meter", "https://api.revenium.ai"},
		{"https://api.revenium.ai/meter/", "https://api.revenium.ai"},
		{"https://api.revenium.ai/meter/v2", "https://api.revenium.ai"},
		{"https://api.revenium.ai/meter/v2/", "https://api.revenium.ai"},
		{"https://api.revenium.ai/meter//v2", "https://api.revenium.ai"},
		{"https://api.revenium.ai/v2", "https://api.revenium.ai"},
		{"https://api.revenium.io/meter/v2", "https://api.revenium.io"},
		{"HTTPS://API.Revenium.AI/Meter", "https://api.revenium.ai/Meter"},
		{"https://api.revenium.ai:443/meter", "https://api.revenium.ai"},
		{"http://127.0.0.1:80", "http://127.0.0.1"},
		{"https://api.revenium.ai:8443/meter/v2", "https://api.revenium.ai:8443"},
		{"https://api.revenium.ai:", "https://api.revenium.ai"},
		{"http://localhost:8080", "http://localhost:8080"},
		{"http://[::1]:8080/", "http://[::1]:8080"},
		{"http://[::1]", "http://[::1]"},
		{"http://[fe80::1%25eth0]:8080", "http://[fe80::1%25eth0]:8080"},
		{"https://gateway.example/revenium", "https://gateway.example/revenium"},
		{"https://gateway.example/revenium/meter/v2", "https://gateway.example/revenium"},
		{"https://gateway.example/parameter", "https://gateway.example/parameter"},
		{"https://gateway.example/a%2Fb/", "https://gateway.example/a%2Fb"},
		{"https://gateway.example/v2/meter/v2", "https://gateway.example"},
	} {
		got, err := NormalizeBaseURL(tc.in)
		if err != nil || got != tc.want {
			t.Errorf("NormalizeBaseURL(%q) = %q, %v, want %q", tc.in, got, err, tc.want)
			continue
		}
		if again, err := NormalizeBaseURL(got); err != nil || again != got {
			t.Errorf("normalizing %q again gives %q, %v", got, again, err)
		}
	}
}

func TestNormalizeBaseURLErrors(t *testing.T) {
	const secret = "rev_mk_test_0123456789"
	for _, tc := range []struct{ in, want string }{
		{"", "it is empty"},
		{"  ", "it is empty"},
		{"api.revenium.ai", "does not begin with https://"},
		{"api.revenium.ai:443", "does not begin with https://"},
		{"/meter/v2", "does not begin with https://"},
		{"ftp://api.revenium.ai", "does not begin with https://"},
		{"file:///etc/passwd", "does not begin with https://"},
		{"https:api.revenium.ai", "does not begin with https://"},
		{"https://", "has no host"},
		{"https:///meter", "has no host"},
		{"https://:443", "has no host"},
		{"https://" + secret + "@api.revenium.ai", "https://api.revenium.ai carries a user or password"},
		{"https://user:" + secret + "@api.revenium.ai", "https://api.revenium.ai carries a user or password"},
		{"https://api.revenium.ai?key=" + secret, "https://api.revenium.ai carries a query or fragment"},
		{"https://api.revenium.ai?", "carries a query or fragment"},
		{"https://api.revenium.ai/#" + secret, "carries a query or fragment"},
		{"https://api.revenium.ai#", "carries a query or fragment"},
		{"https://api.revenium.ai:0", "https://api.revenium.ai:0 has a port that is not between 1 and 65535"},
		{"https://api.revenium.ai:65536", "has a port that is not between 1 and 65535"},
		{"https://api.revenium.ai:" + secret, "it cannot be parsed"},
		{"https://api.reve nium.ai/" + secret, "it cannot be parsed"},
		{"https://api.revenium.ai/%zz" + secret, "it cannot be parsed"},
		{"https://api.revenium.ai/meter/v2/ai/completions", "has the path of an endpoint"},
		{"https://gateway.example/x/meter/v2/tool/events/", "has the path of an endpoint"},
	} {
		got, err := NormalizeBaseURL(tc.in)
		if got != "" || !errors.Is(err, ErrBaseURL) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("NormalizeBaseURL(%q) = %q, %v, want an ErrBaseURL with %q", tc.in, got, err, tc.want)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error quotes what may be a key: %v", err)
		}
	}
}

func TestPlainHTTP(t *testing.T) {
	for _, tc := range []struct {
		url     string
		allowed bool
	}{
		{"http://localhost:1", true},
		{"http://LOCALHOST", true},
		{"http://sandbox.localhost:1", true},
		{"http://127.0.0.1", true},
		{"http://127.9.9.9:80", true},
		{"http://[::1]:1", true},
		{"https://revenium.internal", true},
		{"http://revenium.internal", false},
		{"http://10.0.0.1:8080", false},
		{"http://localhost.example", false},
		{"http://127.0.0.1.example", false},
		{"http://0.0.0.0", false},
	} {
		_, err := NewClient(testKey, WithBaseURL(tc.url))
		if tc.allowed != (err == nil) {
			t.Errorf("%s: error %v, allowed should be %v", tc.url, err, tc.allowed)
		}
		if err != nil && (!errors.Is(err, ErrPlainHTTP) || !errors.Is(err, ErrBaseURL) || !strings.Contains(err.Error(), "WithPlainHTTP")) {
			t.Errorf("%s: error %v, want an ErrPlainHTTP that names the option", tc.url, err)
		}
		if _, err := NewClient(testKey, WithBaseURL(tc.url), WithPlainHTTP()); err != nil {
			t.Errorf("%s with WithPlainHTTP: %v", tc.url, err)
		}
	}
}
