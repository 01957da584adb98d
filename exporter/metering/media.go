// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

// Image is a record of /meter/v2/ai/images: the generation, edit or variation of
// images.
//
// The record also carries the fields of [Call].
type Image struct {
	Call

	// ActualImageCount is the number of images produced. It is required.
	ActualImageCount int64 `json:"actualImageCount"`
	// RequestedImageCount is the number of images asked for.
	RequestedImageCount *int64 `json:"requestedImageCount,omitempty"`
	// BillingUnit is [BillingPerImage] when empty.
	BillingUnit BillingUnit `json:"billingUnit"`
	// Resolution is the size, such as "1024x1024".
	Resolution string `json:"resolution,omitempty"`
	// AspectRatio is such as "16:9".
	AspectRatio string `json:"aspectRatio,omitempty"`
	// Quality is the provider's word, such as "hd".
	Quality string `json:"quality,omitempty"`
	// Style is the provider's word, such as "vivid".
	Style string `json:"style,omitempty"`
	// Format is how the image was returned, such as "url" or "b64_json".
	Format string `json:"format,omitempty"`
	// RevisedPromptProvided says that the provider rewrote the prompt.
	RevisedPromptProvided *bool `json:"revisedPromptProvided,omitempty"`
	// SourceImageProvided says that the call came with an image.
	SourceImageProvided *bool `json:"sourceImageProvided,omitempty"`
	// SourceTransactionID names the call that produced the edited image.
	SourceTransactionID string `json:"sourceTransactionId,omitempty"`
	// PriorityTier is the provider's priority.
	PriorityTier string `json:"priorityTier,omitempty"`
}

// Endpoint is [EndpointImages].
func (*Image) Endpoint() Endpoint { return EndpointImages }

func (i *Image) absent() bool { return i == nil }

// Audio is a record of /meter/v2/ai/audio: transcription, translation, speech or
// a realtime conversation.
//
// The record also carries the fields of [Call].
type Audio struct {
	Call

	// DurationSeconds is the length of the audio; for transcription and
	// translation it is what is billed.
	DurationSeconds *float64 `json:"durationSeconds,omitempty"`
	// CharacterCount is the length of the text; for speech it is what is billed.
	CharacterCount *int64 `json:"characterCount,omitempty"`
	// InputAudioTokenCount and OutputAudioTokenCount are audio tokens.
	InputAudioTokenCount  *int64 `json:"inputAudioTokenCount,omitempty"`
	OutputAudioTokenCount *int64 `json:"outputAudioTokenCount,omitempty"`
	// InputTokenCount and OutputTokenCount are text tokens.
	InputTokenCount  *int64 `json:"inputTokenCount,omitempty"`
	OutputTokenCount *int64 `json:"outputTokenCount,omitempty"`
	// BillingUnit says by which of these the call is billed. When it is empty, it
	// follows what is there: [BillingPerCharacter], [BillingPerMinute] or
	// [BillingPerToken], in this order.
	BillingUnit BillingUnit `json:"billingUnit"`
	// Language, SourceLanguage and TargetLanguage are language codes.
	Language       string `json:"language,omitempty"`
	SourceLanguage string `json:"sourceLanguage,omitempty"`
	TargetLanguage string `json:"targetLanguage,omitempty"`
	// Voice is the provider's name of the voice.
	Voice string `json:"voice,omitempty"`
	// AudioFormat is such as "mp3".
	AudioFormat string `json:"audioFormat,omitempty"`
	// Quality is the provider's word, such as "hd".
	Quality string `json:"quality,omitempty"`
	// ResponseFormat is such as "verbose_json".
	ResponseFormat string `json:"responseFormat,omitempty"`
	// Speed is the speed of speech, 0.25 to 4.
	Speed *float64 `json:"speed,omitempty"`
	// SampleRate is in Hz.
	SampleRate *int64 `json:"sampleRate,omitempty"`
	// IsRealtime says that the call was a realtime conversation.
	IsRealtime *bool `json:"isRealtime,omitempty"`
}

// Endpoint is [EndpointAudio].
func (*Audio) Endpoint() Endpoint { return EndpointAudio }

func (a *Audio) absent() bool { return a == nil }

// Video is a record of /meter/v2/ai/video: the generation or editing of video.
//
// The record also carries the fields of [Call].
type Video struct {
	Call

	// DurationSeconds is the length of what was produced. It is required.
	DurationSeconds float64 `json:"durationSeconds"`
	// RequestedDurationSeconds is the length that was asked for.
	RequestedDurationSeconds *float64 `json:"requestedDurationSeconds,omitempty"`
	// BillingUnit is [BillingPerSecond] or [BillingCredits]. When it is empty, it is
	// that of credits where only these are there.
	BillingUnit BillingUnit `json:"billingUnit"`
	// CreditsConsumed is in the provider's credits.
	CreditsConsumed *float64 `json:"creditsConsumed,omitempty"`
	// CreditRate is in credits per second.
	CreditRate *float64 `json:"creditRate,omitempty"`
	// FPS is the number of frames per second.
	FPS *int64 `json:"fps,omitempty"`
	// Resolution is such as "1080p".
	Resolution string `json:"resolution,omitempty"`
	// VideoJobID is the provider's job.
	VideoJobID string `json:"videoJobId,omitempty"`
	// AsyncOperation says that the video was made by a job.
	AsyncOperation *bool `json:"asyncOperation,omitempty"`
	// CompletionStatus says how it ended.
	CompletionStatus CompletionStatus `json:"completionStatus,omitempty"`
	// SourceTransactionID names the call that produced the edited video.
	SourceTransactionID string `json:"sourceTransactionId,omitempty"`
	// PriorityTier is the provider's priority.
	PriorityTier string `json:"priorityTier,omitempty"`
}

// Endpoint is [EndpointVideo].
func (*Video) Endpoint() Endpoint { return EndpointVideo }

func (v *Video) absent() bool { return v == nil }
