// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
)

// subscriber is the nested object. It is copied before it is changed, because
// records may share it.
func (w *walker) subscriber(name string, v **Subscriber) {
	if *v != nil && w.checking {
		w.checkSubscriber(v)
	}
	if *v != nil && w.encoding {
		w.appendSubscriber(name, *v)
	}
}

func (w *walker) checkSubscriber(v **Subscriber) {
	encoding := w.encoding
	w.encoding = false // the names of the members are for reports
	defer func() { w.encoding = encoding }()
	s := **v
	var cred Credential
	if s.Credential != nil {
		cred = *s.Credential
	}
	w.name("subscriber.id", &s.ID, maxLabelLen)
	w.name("subscriber.email", &s.Email, maxLabelLen)
	w.label("subscriber.credential.name", &cred.Name, maxLabelLen)
	w.secret("subscriber.credential.value", &cred.Value, maxTextLen)
	switch {
	case cred == (Credential{}):
		s.Credential = nil
	case cred != *s.Credential:
		s.Credential = &Credential{Name: cred.Name, Value: cred.Value}
	}
	switch {
	case s == (Subscriber{}):
		*v = nil
	case s != **v:
		*v = &Subscriber{ID: s.ID, Email: s.Email, Credential: s.Credential}
	}
}

// maxObjectSize bounds a free-form object as it is sent.
const maxObjectSize = 64 << 10

// freeForm is an object whose content the API does not prescribe. Members that
// cannot be sent are left out, in a copy.
func (w *walker) freeForm(name string, v *map[string]any) {
	if len(*v) > 0 && w.checking {
		w.checkObject(name, v)
	}
	if len(*v) > 0 && w.encoding {
		w.buf = appendKey(w.buf, name)
		w.buf = append(w.buf, w.object...)
	}
}

func (w *walker) checkObject(name string, v *map[string]any) {
	object, ok := encodeObject(*v)
	if !ok {
		kept := maps.Clone(*v)
		maps.DeleteFunc(kept, func(key string, value any) bool {
			_, ok := encodeObject(map[string]any{key: value})
			return !ok
		})
		w.change(name, Dropped, reasonUnencodable)
		*v = kept
		if len(kept) == 0 {
			*v = nil
			return
		}
		object, _ = encodeObject(kept)
	}
	if len(object) > maxObjectSize {
		w.change(name, Dropped, fmt.Sprintf("is larger than %d bytes", maxObjectSize))
		*v = nil
		return
	}
	w.object = object
}

// encodeObject encodes m with sorted keys. It refuses the character NUL, which
// databases cannot store.
func encodeObject(m map[string]any) ([]byte, bool) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil || bytes.Contains(buf.Bytes(), []byte(`\u0000`)) {
		return nil, false
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), true
}
