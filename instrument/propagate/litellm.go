// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/revenium/revenium-otel-go/instrument"
)

// LiteLLMKey is what a gateway knows of the virtual key that a request came with,
// under the names that LiteLLM has for it. Its own key API answers with objects that
// decode into it.
type LiteLLMKey struct {
	// Alias is the name of the key, not the key.
	Alias string `json:"key_alias"`
	// TeamAlias is the name of the team that the key belongs to.
	TeamAlias string `json:"team_alias"`
	// UserEmail is the address of the key's owner.
	UserEmail string `json:"user_email"`
	// Metadata is what was noted with the key, of which these are read:
	// revenium_organization_name, revenium_user_id, revenium_key_name, email, and
	// revenium_agentic_job_id, _name, _type and _version.
	Metadata map[string]any `json:"metadata"`
}

// TrustLiteLLMKeys believes requests with a key that lookup knows, as a LiteLLM
// proxy does, and fills in from the key what they do not say; see
// [LiteLLMKey.Fallback].
func TrustLiteLLMKeys(lookup func(ctx context.Context, r *Request) (LiteLLMKey, bool)) Trust {
	return func(ctx context.Context, r *Request) Verdict {
		key, ok := lookup(ctx, r)
		if !ok {
			return Verdict{}
		}
		return Verdict{Trusted: true, Fallback: key.Fallback}
	}
}

// Fallback returns what the key says about a call, where said, which is what the
// call itself says, leaves it open: the team as organization, the owner's address,
// the key's name as that of the credential, the subscriber and the job that are
// noted with the key. A job is taken as a whole, and only with an id.
//
// Where the call names another address than the owner's, it was made for somebody
// else, and the subscriber of the key is left out.
func (k LiteLLMKey) Fallback(said instrument.Metadata) instrument.Metadata {
	owner := firstOf(k.UserEmail, k.noted("email"))
	m := instrument.Metadata{
		Organization: firstOf(k.TeamAlias, k.noted("revenium_organization_name")),
		Subscriber: instrument.Subscriber{
			ID:             k.noted("revenium_user_id"),
			Email:          owner,
			CredentialName: firstOf(k.Alias, k.noted("revenium_key_name")),
		},
	}
	if said.Subscriber.Email != "" && !strings.EqualFold(said.Subscriber.Email, owner) {
		m.Subscriber.ID = ""
	}
	if said.Job.ID == "" {
		m.Job = instrument.Job{ID: k.noted("revenium_agentic_job_id")}
		if m.Job.ID != "" {
			m.Job.Name = k.noted("revenium_agentic_job_name")
			m.Job.Type = strings.ToLower(k.noted("revenium_agentic_job_type"))
			m.Job.Version = k.noted("revenium_agentic_job_version")
		}
	}
	return m
}

// noted is a value of the key's metadata as text; "" for a list or an object.
func (k LiteLLMKey) noted(name string) string {
	switch value := k.Metadata[name].(type) {
	case string:
		return value
	case bool, int, int64, float64, json.Number:
		return fmt.Sprint(value)
	default:
		return ""
	}
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if strings.TrimSpace(text) != "" {
			return text
		}
	}
	return ""
}
