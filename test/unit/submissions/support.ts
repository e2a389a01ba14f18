// Builders for the tests of the pure domain: a sound file, a slot of a shipped profile, uploads and heads.

import type { SubmissionHead } from '../../../src/records/submission-head.ts'
import type { Measured } from '../../../src/records/upload-record.ts'
import type { DocumentView } from '../../../src/submissions/document/views.ts'
import { loadProfiles, shippedProfilesDir } from '../../../src/submissions/profiles/loader.ts'
import { findSlot, type Profile, profileOf, type SlotRules } from '../../../src/submissions/profiles/profile.ts'
import type { ProfileData } from '../../../src/submissions/profiles/schema.ts'
import { newHead } from '../../support/drafts.ts'

export const catalogue = loadProfiles([shippedProfilesDir()])

export function slotOf(profileId: string, slotId: string): SlotRules {
  const slot = findSlot(catalogue.pin(profileId), slotId)
  if (!slot) throw new Error(`${profileId} has no slot ${slotId}`)
  return slot
}

/** A shipped profile with changes to its data, as a new version would have them. */
export function changedProfile(profileId: string, change: (data: ProfileData) => void): Profile {
  const data = structuredClone(catalogue.pin(profileId).data)
  change(data)
  return profileOf(data)
}

/** A clip that breaks no rule of any video slot. */
export function video(changes: Partial<Measured> = {}): Measured {
  return {
    kind: 'video',
    container: 'mp4',
    durationSeconds: 590,
    headerDurationSeconds: 590,
    editedDurationSeconds: 590,
    width: 1280,
    height: 720,
    rotation: 0,
    framesPerSecond: 30,
    videoCodec: 'h264',
    audioCodec: 'aac',
    audioChannels: 2,
    audioTracks: 1,
    indexFirst: true,
    complete: true,
    ...changes,
  }
}

export function lasting(seconds: number, changes: Partial<Measured> = {}): Measured {
  return video({
    durationSeconds: seconds,
    headerDurationSeconds: seconds,
    editedDurationSeconds: seconds,
    ...changes,
  })
}

/** Undefined takes a member away, which a literal cannot say under exactOptionalPropertyTypes. */
export function without(measured: Measured, ...members: (keyof Measured)[]): Measured {
  const copy = { ...measured }
  for (const member of members) delete copy[member]
  return copy
}

export function pdf(changes: Partial<Measured> = {}): Measured {
  return { kind: 'pdf', container: 'pdf', complete: true, pages: 5, encrypted: false, ...changes }
}

export function head(changes: Partial<SubmissionHead> = {}): SubmissionHead {
  const at = '2024-09-01T00:00:00.000Z'
  const made = newHead('S1', { profile: 'teacher.K4@1', sequence: 1, createdAt: at, updatedAt: at, ...changes })
  return { version: 1, nonce: 'n', committedAt: at, ...made, ...changes } as SubmissionHead
}

/** `at`: minutes after 2024-09-02 00:00 UTC at which it was created; stored one minute later unless it is receiving. */
export function view(id: string, slot: string, at: number, changes: Partial<DocumentView> = {}): DocumentView {
  const state = changes.state ?? 'accepted'
  return {
    id,
    slot,
    revision: 1,
    state,
    replaces: null,
    createdAt: minute(at),
    storedAt: state === 'receiving' ? null : minute(at + 1),
    sequence: at,
    measured: null,
    problems: [],
    concat: null,
    ...changes,
  }
}

export function minute(at: number): string {
  return new Date(Date.UTC(2024, 8, 2) + at * 60_000).toISOString()
}
