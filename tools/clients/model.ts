// Types of `npm run clients`.

/** One file to be uploaded by one client over one connection. */
export type Task = {
  /** Creation URL, through a proxy that cuts the connection. */
  endpoint: string
  /** The file, as a path and as its bytes. */
  path: string
  bytes: Buffer
}

/** One way of using a client. `send` resolves with the upload's URL once the client reports success. */
export type Scenario = {
  name: string
  /** `gone`: the client terminates the upload. */
  ends: 'stored' | 'gone'
  send(task: Task): Promise<string>
}

export type Client = {
  name: string
  /** Tested version. */
  version: string
  /** Downloads and builds it. Rejects with NotInstalled if that is not possible here. */
  prepare(): Promise<Scenario[]>
}

/** A client that cannot be installed on this machine; the message says why, in one line. */
export class NotInstalled extends Error {
  override readonly name = 'NotInstalled'
}

export type Row = {
  client: string
  version: string
  store: string
  scenario: string
  cuts: number
  seconds: number
  /** Absent: every byte arrived. */
  error?: string
}
