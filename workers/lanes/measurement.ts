import type { Measured } from '../../src/records/upload-record.ts'

/** Measurements from the bytes of a file. */
export type Measurement = {
  measured: Measured
  /** The file has the type that its first bytes show, but none of our tools can open it. */
  unreadable?: boolean
}
