// Many keep-alive connections that each send their next request as soon as the last one is answered.

import { type Response, Wire } from './wire.ts'

export type FloodOptions = {
  port: number
  connections: number
  /** The window in which answers are counted. */
  seconds: number
  /** No more requests than this. */
  maxRequests: number
  /** Sends one request; `nth` counts over all connections, `lane` is the connection. Returns its method. */
  send(wire: Wire, nth: number, lane: number): string
  /** Checks a response and keeps what the next request of its lane needs; throws on an unexpected response. */
  accept(response: Response, lane: number): void
}

export type FloodResult = { requests: number; seconds: number; medianMs: number }

/** Resolves when the window is over and every request has its answer. */
export async function flood(options: FloodOptions): Promise<FloodResult> {
  const { port, connections, maxRequests, send, accept } = options
  const wires = await Promise.all(Array.from({ length: connections }, () => Wire.open(port)))
  const begunMs = performance.now()
  const endMs = begunMs + options.seconds * 1000
  const latenciesMs: number[] = []
  let sent = 0
  const runLane = async (wire: Wire, lane: number) => {
    while (performance.now() < endMs && sent < maxRequests) {
      const sentMs = performance.now()
      const method = send(wire, sent++, lane)
      accept(await wire.answer(method, 30_000), lane)
      latenciesMs.push(performance.now() - sentMs)
    }
  }
  try {
    await Promise.all(wires.map(runLane))
  } finally {
    for (const wire of wires) wire.close()
  }
  const seconds = (performance.now() - begunMs) / 1000
  latenciesMs.sort((a, b) => a - b)
  return {
    requests: latenciesMs.length,
    seconds,
    medianMs: latenciesMs[Math.floor(latenciesMs.length / 2)] ?? Number.NaN,
  }
}
