// One load generator, from the view of the coordinator: a child process, or a program on another machine (remote.ts).

import { endForked, forked } from '../stage/forked.ts'
import type { FromGenerator, ToGenerator } from './messages.ts'

export type Generator = {
  /** For the report: `crowd 1`, or the other machine's address. */
  readonly name: string
  /** Of a child process. */
  readonly pid: number | undefined
  /** Its clock minus the clock of this machine, in milliseconds. */
  readonly clockOffsetMs: number
  send(message: ToGenerator): void
  /** Called for every message, in order. */
  onMessage(listener: (message: FromGenerator) => void): void
  /** Called once, when it has ended. */
  onEnd(listener: (reason: string) => void): void
  end(): Promise<void>
}

/** @param name for the report */
export async function localGenerator(name: string): Promise<Generator> {
  const child = await forked('generator/main')
  return {
    name,
    pid: child.pid,
    clockOffsetMs: 0,
    send: (message) => void child.send(message),
    onMessage: (listener) => void child.on('message', (message) => listener(message as FromGenerator)),
    onEnd: (listener) => void child.once('exit', (code, signal) => listener(String(code ?? signal))),
    end: () => endForked(child),
  }
}
