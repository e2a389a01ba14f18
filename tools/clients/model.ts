// What the parts of `npm run clients` say to each other.

/** One file to be sent by one client over one line. */
export type Task = {
  /** Creation URL, through a line that is cut. */
  endpoint: string
  /** The file, as a path and as its bytes. */
  path: string
  bytes: Buffer
}

/** One way of using a client. `send` resolves with the upload's URL once the client calls it a success. */
export type Scenario = {
  name: string
  /** `gone`: the client removes what it has sent. */
  ends: 'stored' | 'gone'
  send(task: Task): Promise<string>
}

export type Client = {
  name: string
  /** Version that is tried. */
  version: string
  /** Fetches and builds it. Rejects with NotHere where this machine cannot. */
  prepare(): Promise<Scenario[]>
}

/** A client that cannot be had on this machine, and why, in one line. */
export class NotHere extends Error {
  override readonly name = 'NotHere'
}

export type Row = {
  client: string
  version: string
  store: string
  scenario: string
  cuts: number
  seconds: number
  /** Absent: every byte is there. */
  fault?: string
}
