// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// root is the root of the repository.
func root(tb testing.TB, elem ...string) string {
	tb.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{"..", ".."}, elem...)...))
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// validate has the Collector check a configuration without running it.
func validate(tb testing.TB, env []string, args ...string) (output string, err error) {
	tb.Helper()
	p := launch(tb, tb.TempDir(), env, append([]string{"validate"}, args...)...)
	<-p.exited
	return p.log.text(), p.err
}

const withKey = "REVENIUM_METERING_API_KEY=" + testKey

// TestShippedConfigs checks the configurations in the root with the Collector
// that they are for.
func TestShippedConfigs(t *testing.T) {
	for name, env := range map[string][]string{
		"collector-config.yaml":       {withKey},
		"collector-config.local.yaml": nil,

		"examples/litellm-collector/collector.yaml": {withKey},
	} {
		if output, err := validate(t, env, "--config", root(t, name)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, output)
		}
	}
	forward := []string{withKey, "FORWARD_EXPORTER=otlp_http", "FORWARD_ENDPOINT=http://127.0.0.1:4999", "FORWARD_PERCENTAGE=1", "COLLECTOR_HOST=0.0.0.0", "COLLECTOR_DATA=/tmp"}
	if output, err := validate(t, forward, "--config", root(t, "collector-config.yaml")); err != nil {
		t.Errorf("with all variables: %v\n%s", err, output)
	}
}

// TestConfigErrors checks that a configuration that cannot work says so in one
// sentence, with the mend.
func TestConfigErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		env  []string
		args []string
		want string
	}{
		"no key": {
			nil, nil,
			`Error: invalid configuration: exporters::revenium: "api_key": no metering key: set the environment variable REVENIUM_METERING_API_KEY and write api_key: ${env:REVENIUM_METERING_API_KEY} (a key begins with rev_mk_)`,
		},
		"wrong kind of key": {
			[]string{"REVENIUM_METERING_API_KEY=sk-0123456789"},
			nil,
			`Error: invalid configuration: exporters::revenium: "api_key": wrong kind of API key: it begins with neither rev_ nor hak_: use one that begins with rev_mk_`,
		},
		"plain http": {
			[]string{withKey, "REVENIUM_METERING_BASE_URL=http://metering.example.com"},
			nil,
			`exporters::revenium: "http::endpoint": http://metering.example.com would send the key unencrypted: use https, or set http::tls::insecure: true in a trusted network`,
		},
		"unknown setting": {
			[]string{withKey},
			[]string{"--config", "yaml:exporters::revenium::endpoint: http://127.0.0.1"},
			`has invalid keys: endpoint`,
		},
		"storage that is not there": {
			[]string{withKey},
			[]string{"--config", "yaml:exporters::revenium::sending_queue::storage: nowhere"},
			``, // only known at the start
		},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"--config", root(t, "collector-config.yaml")}, tc.args...)
			if tc.want == "" {
				args = append(args, "--config", anyPorts())
				p := launch(t, t.TempDir(), tc.env, args...)
				<-p.exited
				if p.err == nil || !strings.Contains(p.log.text(), `"nowhere" is no storage extension of this Collector: list it under service::extensions`) {
					t.Errorf("%v: %s", p.err, p.log.text())
				}
				return
			}
			p := launch(t, t.TempDir(), tc.env, args...)
			<-p.exited
			if p.err == nil {
				t.Error("the Collector ended without an error")
			}
			if !strings.Contains(p.log.text(), tc.want) {
				t.Errorf("got  %s\nwant %s", p.log.text(), tc.want)
			}
			if strings.Contains(p.log.text(), "0123456789") {
				t.Error("the key is shown")
			}
		})
	}
}

// anyPorts is an addition to collector-config.yaml with which several can run at
// a time.
func anyPorts() string {
	return `yaml:{extensions: {health_check: {endpoint: "127.0.0.1:0"}}, receivers: {` +
		`otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}},` +
		`otlp/metering: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}},` +
		`service: {telemetry: {metrics: {level: none, readers: []}}}}`
}

// documents are the YAML documents of a file.
func documents(tb testing.TB, file string) (docs []map[string]any) {
	tb.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var doc map[string]any
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return docs
		}
		if err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		docs = append(docs, doc)
	}
}

// at walks down maps and lists.
func at(v any, path ...any) any {
	for _, step := range path {
		switch key := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return nil
			}
			v = l[key]
		}
	}
	return v
}

// TestKubernetes parses the manifests, checks that what refers to something finds
// it, and has the Collector check the configurations in them.
func TestKubernetes(t *testing.T) {
	for _, name := range []string{"gateway.yaml", "agent.yaml"} {
		t.Run(name, func(t *testing.T) {
			configs := map[string]string{}
			var workload map[string]any
			for _, doc := range documents(t, root(t, "cmd", "otelcol-revenium", "kubernetes", name)) {
				if at(doc, "apiVersion") == nil || at(doc, "metadata", "name") == nil {
					t.Errorf("a document without apiVersion or name: %v", doc)
				}
				switch doc["kind"] {
				case "ConfigMap":
					configs[at(doc, "metadata", "name").(string)], _ = at(doc, "data", "config.yaml").(string)
				case "StatefulSet", "DaemonSet":
					workload = doc
				}
			}
			pod := at(workload, "spec", "template", "spec")
			if at(workload, "spec", "selector", "matchLabels", "app") != at(workload, "spec", "template", "metadata", "labels", "app") {
				t.Error("the selector does not select the pods")
			}
			volumes := map[string]bool{}
			for _, v := range append(list(at(pod, "volumes")), list(at(workload, "spec", "volumeClaimTemplates"))...) {
				name, _ := at(v, "name").(string)
				if name == "" {
					name, _ = at(v, "metadata", "name").(string)
				}
				volumes[name] = true
				if of, ok := at(v, "configMap", "name").(string); ok && configs[of] == "" {
					t.Errorf("there is no ConfigMap %q with a config.yaml", of)
				}
			}
			for _, m := range list(at(pod, "containers", 0, "volumeMounts")) {
				if name, _ := at(m, "name").(string); !volumes[name] {
					t.Errorf("there is no volume %q", name)
				}
			}
			if at(pod, "securityContext", "runAsNonRoot") != true {
				t.Error("the Collector runs as root")
			}
			for name, config := range configs {
				file := filepath.Join(t.TempDir(), "config.yaml")
				if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
					t.Fatal(err)
				}
				if output, err := validate(t, []string{withKey}, "--config", file); err != nil {
					t.Errorf("%s: %v\n%s", name, err, output)
				}
			}
		})
	}
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// TestLoadBalancingConfig parses the configuration for the exporter that this
// distribution lacks, and checks its settings against those of its documentation.
func TestLoadBalancingConfig(t *testing.T) {
	docs := documents(t, root(t, "cmd", "otelcol-revenium", "kubernetes", "agent-loadbalancing.yaml"))
	text, _ := at(docs[0], "data", "config.yaml").(string)
	var config map[string]any
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		t.Fatal(err)
	}
	exporter := at(config, "exporters", "loadbalancing")
	for path, known := range map[string][]string{
		"":             {"protocol", "resolver", "routing_key", "routing_attributes", "timeout", "retry_on_failure", "sending_queue"},
		"protocol":     {"otlp"},
		"resolver":     {"static", "dns", "k8s", "aws_cloud_map"},
		"resolver.k8s": {"service", "ports", "timeout", "return_hostnames"},
	} {
		v := exporter
		if path != "" {
			for step := range strings.SplitSeq(path, ".") {
				v = at(v, step)
			}
		}
		m, ok := v.(map[string]any)
		if !ok || len(m) == 0 {
			t.Errorf("loadbalancing has no %s", path)
		}
		for key := range m {
			if !slices.Contains(known, key) {
				t.Errorf("loadbalancing %s has no setting %q", path, key)
			}
		}
	}
	if at(exporter, "routing_key") != "traceID" || at(config, "service", "pipelines", "traces", "exporters", 0) != "loadbalancing" {
		t.Errorf("the agent does not route by trace id: %v", config)
	}
	// The rest of it must be valid with an exporter that is there.
	config["exporters"] = map[string]any{"loadbalancing": nil}
	whole, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, bytes.ReplaceAll(whole, []byte("loadbalancing"), []byte("nop")), 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := validate(t, nil, "--config", file); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// TestContainerfile checks that what the container is made of is there.
func TestContainerfile(t *testing.T) {
	content, err := os.ReadFile(root(t, "cmd", "otelcol-revenium", "Containerfile"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for _, path := range []string{"cmd/otelcol-revenium", "collector-config.yaml"} {
		if !strings.Contains(text, path) {
			t.Errorf("the file does not use %s", path)
		}
		if _, err := os.Stat(root(t, path)); err != nil {
			t.Error(err)
		}
	}
	config, err := os.ReadFile(root(t, "collector-config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(COLLECTOR_[A-Z]+)=`).FindAllStringSubmatch(text, -1) {
		if !strings.Contains(string(config), "${env:"+m[1]) {
			t.Errorf("the file sets %s, which collector-config.yaml does not read", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^EXPOSE (.*)$`).FindAllStringSubmatch(text, -1) {
		for port := range strings.FieldsSeq(m[1]) {
			if !regexp.MustCompile(`:\s?` + port + `\b`).Match(config) {
				t.Errorf("the file exposes port %s, on which nothing listens", port)
			}
		}
	}
}
