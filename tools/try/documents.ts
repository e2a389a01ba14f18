// Prints the two documents in readable form instead of JSON.

import type { SubmissionDocument, UploadDocument } from '../../src/submissions/document/schemas.ts'
import { bytesInWords } from '../lib/words.ts'

/** Lines about a submission: required, received and missing files. */
export function submissionLines(submission: SubmissionDocument): string[] {
  const { id, profile, state, complete, missing, pending, deadline } = submission
  const width = Math.max(...submission.slots.map(({ slot }) => slot.length))
  return [
    `submission ${id}`,
    `  profile ${profile}   state ${state}   due ${deadline ?? 'never'}   complete ${complete}`,
    ...submission.slots.map(
      (slot) =>
        `  ${slot.slot.padEnd(width)}  ${slot.state.padEnd(9)}  ${slot.counted.length} of ${slot.min}–${slot.max}  ${slot.label.th}`,
    ),
    `  missing: ${missing.join(', ') || 'nothing'}${pending.length > 0 ? `   pending: ${pending.join(', ')}` : ''}`,
  ]
}

/** Lines about an upload: state, measurements, problems, renditions. */
export function uploadLines(upload: UploadDocument): string[] {
  const { id, slot, state, declared, receivedBytes, storedAt, sha256, measured } = upload
  const checks = upload.checks.map(({ name, state: outcome }) => `${name} ${outcome}`)
  return [
    `upload ${id}`,
    `  ${declared.filename ?? '(no name)'} in ${slot}: ${state}, ${bytesInWords(receivedBytes)}, stored at ${storedAt}`,
    `  SHA-256 ${sha256 ?? 'not computed yet'}`,
    `  measured: ${measured === null ? 'nothing yet' : measuredInWords(measured)}`,
    ...(checks.length > 0 ? [`  checks: ${checks.join(', ')}`] : []),
    ...upload.problems.flatMap(({ code, severity, message }) => [
      `  ${severity} ${code}: ${message.th}`,
      `  ${' '.repeat(severity.length + code.length + 1)}  ${message.en}`,
    ]),
    ...upload.renditions.map(
      ({ name, kind, state: made, width, height, bytes, reason }) =>
        `  rendition ${name} (${kind}): ${made}` +
        (width === undefined ? '' : `, ${width}x${height}`) +
        (bytes === undefined ? '' : `, ${bytesInWords(bytes)}`) +
        (reason === undefined ? '' : `, ${reason}`),
    ),
    ...(upload.error === null ? [] : [`  error ${upload.error.code}, retryable ${upload.error.retryable}`]),
  ]
}

type Measured = NonNullable<UploadDocument['measured']>

function measuredInWords(measured: Measured): string {
  const { kind, container, durationSeconds, width, height, framesPerSecond, videoCodec, audioCodec, pages } = measured
  return [
    `${kind} (${container})`,
    durationSeconds !== undefined && `${durationSeconds.toFixed(1)} s`,
    width !== undefined && `${width}x${height}`,
    framesPerSecond !== undefined && `${Math.round(framesPerSecond * 100) / 100} frames/s`,
    [videoCodec, audioCodec].filter(Boolean).join(' + '),
    pages !== undefined && `${pages} pages`,
  ]
    .filter(Boolean)
    .join(', ')
}
