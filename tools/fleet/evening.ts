// The evening as curves, minute by minute: uploads started, bytes received, uploads completed. The arrival rate follows
// 1/(T − t + 1 min) (Alfi, Parisi, Pietronero, Nature Physics 3, 746); the connection speed decides how long a file takes.

import type { Figures } from './figures.ts'

const MINUTE_S = 60

export type Evening = {
  /** Uploads started in each minute. */
  started: Float64Array
  /** Uploads completed in each minute. */
  completed: Float64Array
  /** Bytes received in each minute. */
  bytes: Float64Array
  /** Uploads in progress at the end of each minute. */
  open: Float64Array
}

/** Share of all arrivals up to minute `t` of `minutes`; 1 from the deadline on. */
export function arrivedBy(t: number, minutes: number): number {
  if (t <= 0) return 0
  return t >= minutes ? 1 : 1 - Math.log(minutes - t + 1) / Math.log(minutes + 1)
}

/** @param minutes from the opening to the deadline; the curves end when the slowest connection has finished */
export function evening(teachers: number, minutes: number, { people }: Figures): Evening {
  const flows = people.filesPerTeacher.flatMap((file) =>
    people.lines.map((line) => ({
      uploads: teachers * file.count * line.share,
      bytes: file.bytes,
      minutes: (file.bytes * 8) / (line.mbps * 1e6) / MINUTE_S,
    })),
  )
  const length = minutes + Math.ceil(Math.max(...flows.map((flow) => flow.minutes))) + 2
  const curves = { started: new Float64Array(length), completed: new Float64Array(length) }
  const bytes = new Float64Array(length)
  const open = new Float64Array(length)
  for (const flow of flows) {
    // An upload of duration d that starts at x has received the share (t − x) / d of its bytes at time t, limited to 0..1.
    // Summed over all uploads started up to t, this is the integral of the share arrived, from t − d to t.
    const received = (t: number) => (flow.uploads * flow.bytes * integral(t - flow.minutes, t, minutes)) / flow.minutes
    for (let t = 0; t < length; t++) {
      const started = flow.uploads * (arrivedBy(t + 1, minutes) - arrivedBy(t, minutes))
      const done = (at: number) => flow.uploads * arrivedBy(at - flow.minutes, minutes)
      curves.started[t] = (curves.started[t] ?? 0) + started
      curves.completed[t] = (curves.completed[t] ?? 0) + done(t + 1) - done(t)
      bytes[t] = (bytes[t] ?? 0) + received(t + 1) - received(t)
      open[t] = (open[t] ?? 0) + flow.uploads * arrivedBy(t + 1, minutes) - done(t + 1)
    }
  }
  return { ...curves, bytes, open }
}

/** ∫ arrivedBy, in closed form. */
function integral(from: number, to: number, minutes: number): number {
  return antiderivative(to, minutes) - antiderivative(from, minutes)
}

function antiderivative(t: number, minutes: number): number {
  if (t <= 0) return 0
  const within = Math.min(t, minutes)
  const left = minutes - within + 1
  const all = minutes + 1
  // ∫ (1 − ln(u)/ln(T+1)) dt with u = T − t + 1.
  const logs = all * Math.log(all) - all - (left * Math.log(left) - left)
  return within - logs / Math.log(all) + Math.max(0, t - minutes)
}
