// Measures a file by its bytes: the kind from the first bytes, the rest with the reader for that kind. Uses
// the index if there is one, so that the verdict on an hour of video takes seconds.

import { IDENTIFY_BYTES, identify } from '../../src/core/identify.ts'
import type { Measured } from '../../src/records/upload-record.ts'
import type { ToolContext } from '../media/probe.ts'
import type { MediaSource } from '../media/source.ts'
import { measurePdf } from './measure-pdf.ts'
import { measureVideo } from './measure-video.ts'
import type { Measurement } from './measurement.ts'
import type { ToolFiles } from './tool-files.ts'

/** Kind and container from the first bytes. An empty file has no kind. */
export async function identifySource(source: MediaSource): Promise<Pick<Measured, 'kind' | 'container'>> {
  const head = await source.readAt(0, IDENTIFY_BYTES)
  const identity = identify(head, head.length >= source.bytes)
  // These bytes always decide; otherwise the type is unknown.
  return identity.kind === 'undecided'
    ? { kind: 'other', container: 'unknown' }
    : { kind: identity.kind, container: identity.container }
}

/** @param source the file; @param files the same file as local files for the tools */
export async function measure(
  context: ToolContext,
  source: MediaSource,
  identity: Pick<Measured, 'kind' | 'container'>,
  files: ToolFiles,
): Promise<Measurement> {
  switch (identity.kind) {
    case 'video':
    case 'audio':
      return await measureVideo(context, source, identity, files)
    case 'pdf':
      return await measurePdf(context, await files.whole(), identity)
    case 'image':
    case 'other':
      return { measured: { ...identity } }
  }
}
