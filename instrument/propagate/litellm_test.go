// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

func TestLiteLLMKey(t *testing.T) {
	const full = `{"key_alias":"team key","team_alias":"Team","user_email":"Owner@example.com","spend":1.5,"metadata":{
		"revenium_organization_name":"noted org","revenium_user_id":4711,"revenium_key_name":"noted key","email":"noted@example.com",
		"revenium_agentic_job_id":"job-1","revenium_agentic_job_name":"Nightly","revenium_agentic_job_type":"REPORT","revenium_agentic_job_version":2}}`
	job := instrument.Job{ID: "job-1", Name: "Nightly", Type: "report", Version: "2"}
	owner := instrument.Metadata{
		Organization: "Team", Job: job,
		Subscriber: instrument.Subscriber{ID: "4711", Email: "Owner@example.com", CredentialName: "team key"},
	}
	stranger := owner
	stranger.Subscriber.ID = ""
	noJob := owner
	noJob.Job = instrument.Job{}
	for _, tt := range []struct {
		name, key string
		said      instrument.Metadata
		want      instrument.Metadata
	}{
		{name: "all of it", key: full, want: owner},
		{name: "for the owner himself", key: full, said: instrument.Metadata{Subscriber: instrument.Subscriber{Email: "owner@EXAMPLE.com"}}, want: owner},
		{name: "for somebody else", key: full, said: instrument.Metadata{Subscriber: instrument.Subscriber{Email: "other@example.com"}}, want: stranger},
		{name: "in another job", key: full, said: instrument.Metadata{Job: instrument.Job{ID: "job-2"}}, want: noJob},
		{
			name: "what is noted alone", key: `{"team_alias":" ","metadata":{"revenium_organization_name":"noted org","revenium_key_name":"noted key","email":"noted@example.com"}}`,
			want: instrument.Metadata{Organization: "noted org", Subscriber: instrument.Subscriber{Email: "noted@example.com", CredentialName: "noted key"}},
		},
		{name: "a job without an id", key: `{"metadata":{"revenium_agentic_job_name":"Nightly"}}`},
		{name: "an owner who is not known", key: `{"metadata":{"revenium_user_id":"u"}}`, said: instrument.Metadata{Subscriber: instrument.Subscriber{Email: "other@example.com"}}},
		{name: "what is no text", key: `{"metadata":{"revenium_user_id":{"a":1},"revenium_key_name":["x"],"email":null}}`},
		{name: "nothing", key: `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var key propagate.LiteLLMKey
			if err := json.Unmarshal([]byte(tt.key), &key); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, key.Fallback(tt.said)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
