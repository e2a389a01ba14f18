import type { Measured } from '../../src/records/upload-record.ts'

/** What the bytes of a file tell. */
export type Measurement = {
  measured: Measured
  /** The file holds what its start promises, but no tool of ours can open it. */
  unreadable?: boolean
}
