// Changes of the list of renditions. Used only by transitions.ts.

import type { Rendition } from '../records/upload-record.ts'

export type Outcome =
  | { state: 'running' }
  | { state: 'skipped' | 'failed'; reason: string }
  | ({ state: 'ready' } & Partial<Rendition>)

export function changed(renditions: readonly Rendition[], name: string, outcome: Outcome): Rendition[] {
  return renditions.map((each) => (each.name === name ? { ...each, ...outcome } : each))
}

/** Whether all required renditions are ready or skipped. */
export function areRequiredDone(renditions: readonly Rendition[]): boolean {
  return renditions.every(({ required, state }) => !required || state === 'ready' || state === 'skipped')
}

/** The lane is given up: renditions that are not ready are marked failed. */
export function unmade(renditions: readonly Rendition[], reason: string): Rendition[] {
  return renditions.map((each) =>
    each.state === 'waiting' || each.state === 'running' ? { ...each, state: 'failed', reason } : each,
  )
}

/** Failed renditions are due again. */
export function dueAgain(renditions: readonly Rendition[]): Rendition[] {
  return renditions.map((each) => {
    const { reason: _, ...rendition } = each
    return each.state === 'failed' ? { ...rendition, state: 'waiting' } : each
  })
}

/** Retention has removed their objects. */
export function withoutMedia(renditions: readonly Rendition[]): Rendition[] {
  return renditions.map(({ key: _, ...each }) => ({ ...each, state: 'skipped', reason: 'RETENTION' }))
}
