// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"net/url"
	"testing"
)

func TestClean(t *testing.T) {
	for host, want := range map[string]string{
		"Example.com": "example.com", "example.com/": "example.com", "example.com:80": "example.com:80", "example.com.": "example.com",
		"http://example.com": "example.com:80", "https://user@example.com/v1": "example.com:443", "https://example.com:8443": "example.com:8443",
		"[::1]": "::1", "[::1]:80": "[::1]:80", "http://[::1]": "[::1]:80", "http://": "", "": "",
	} {
		if got := Clean(host); got != want {
			t.Errorf("Clean(%q) = %q, want %q", host, got, want)
		}
	}
}

func TestList(t *testing.T) {
	list := NewList([]string{"Proxy.example", "gateway.example:4000", "https://tls.example", "::1", ""})
	for _, tt := range []struct {
		url  string
		want bool
	}{
		{"http://proxy.example", true},
		{"https://PROXY.example.:4000/v1", true},
		{"http://gateway.example:4000", true},
		{"http://gateway.example", false},
		{"https://tls.example/v1", true},
		{"http://tls.example/v1", false},
		{"http://[::1]:80", true},
		{"http://proxy.example.evil.example", false},
		{"http://evilproxy.example", false},
		{"http://proxy.example@evil.example", false},
		{"/relative", false},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := list.Has(Of(u)); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.url, got, tt.want)
		}
		if List(nil).Has(Of(u)) {
			t.Errorf("%s is in the empty list", tt.url)
		}
	}
}
