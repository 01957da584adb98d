// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/semconv"
)

// job is a call that is answered by a promise, to be redeemed by later requests.
// It is metered once, by the first of them that shows how it ended.
type job struct {
	operation, model string
	attributes       []attribute.KeyValue // of the request that created it
	seconds          amount               // of what was asked for
}

func newJob(p *requestParams, t *target) job {
	created := job{operation: t.operation, model: p.model, attributes: p.attributes(nil, t)}
	if created.model == "" && !t.api.retrieves {
		created.model = t.found
	}
	if p.media.seconds != nil {
		created.seconds = amount{n: *p.media.seconds, ok: true}
	}
	return created
}

// redeem appends what the span of the answer gets of the job.
func (j *job) redeem(to attributeList, res *result) attributeList {
	to = append(to, semconv.GenAIOperationNameKey.String(j.operation))
	to = append(to, j.attributes...)
	if j.operation != operationVideo {
		return to
	}
	status := semconv.ReveniumVideoCompletionStatusSuccess
	if res.failure != nil {
		status = semconv.ReveniumVideoCompletionStatusFailed
	}
	to = append(to, status)
	if res.id != "" {
		to.text(semconv.ReveniumVideoJobIDKey, res.id)
	}
	if j.seconds.ok && !res.units.length().ok && res.failure == nil {
		// Each video is as long as was asked for.
		res.units.seconds = amount{n: j.seconds.n * float64(max(res.units.videos.n, 1)), ok: true}
	}
	return to
}

// jobs are the jobs that requests through a transport have created and that have
// not ended yet, as far as is known.
type jobs struct {
	mu    sync.Mutex
	known map[string]job
	order []string // keys, the oldest first; some may have been taken
}

// maxJobs bounds the jobs that are remembered. The oldest makes room: its usage
// will not be metered, since that would need a request which shows it again.
const maxJobs = 4096

func (j *jobs) add(key string, created job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.known == nil {
		j.known = make(map[string]job)
	}
	if _, ok := j.known[key]; ok {
		return
	}
	if len(j.order) >= maxJobs {
		j.compact()
	}
	if len(j.order) >= maxJobs {
		delete(j.known, j.order[0])
		j.order = append(j.order[:0], j.order[1:]...)
	}
	j.known[key] = created
	j.order = append(j.order, key)
}

// compact drops the keys of jobs that have been taken.
func (j *jobs) compact() {
	kept := j.order[:0]
	for _, key := range j.order {
		if _, ok := j.known[key]; ok {
			kept = append(kept, key)
		}
	}
	j.order = kept
}

// take returns a job once.
func (j *jobs) take(key string) (job, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	found, ok := j.known[key]
	delete(j.known, key)
	return found, ok
}

// final are the words for a status that does not change any more.
var final = map[string]bool{
	"completed": true, "failed": true, "incomplete": true, "cancelled": true, "canceled": true,
	"succeeded": true, "done": true, "expired": true,
	"requires_action": true, // what comes of the action is another interaction
}

// isPending says that an answer is no more than the promise of one.
func (res *result) isPending() bool { return res.status != "" && !final[res.status] }
