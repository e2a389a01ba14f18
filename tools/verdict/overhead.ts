// The overhead of a transcode job over ffmpeg: measures the job, then runs the same command line alone (read from /proc
// while the job runs).

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { getPriority, setPriority } from 'node:os'
import { join } from 'node:path'
import type { Film } from './films.ts'
import { isInspected, isJudged, problems } from './samples.ts'
import type { Stage } from './stage.ts'

type Encoder = { pid: number; words: string[]; niceness: number; cpuSeconds: number }

/** CPU time of the encoder alone. It shows whether the machine became slower or the job did more work. */
export type Round = { jobSeconds: number; jobCpuSeconds: number; bareSeconds: number; bareCpuSeconds: number }

const INSPECTED_MS = 300_000
const READY_MS = 1_800_000
const LOOK_MS = 200
/** Polling for the end of the job must not add load. */
const ASK_MS = 2000
const TICKS_PER_SECOND = 100

/** Runs nothing else at the same time: the worker runs only transcodes, and starts after the film was inspected. */
export async function timeTranscode(stage: Stage, film: Film): Promise<Round> {
  const judging = await stage.worker('validate,inspect')
  const sent = await stage.send(film)
  const { upload } = await stage.until(sent.uploadId, isJudged, INSPECTED_MS)
  if (!upload.accepted) throw new Error(`the film to encode was ${upload.state}: ${problems(upload)}`)
  await stage.until(sent.uploadId, isInspected, INSPECTED_MS)
  await judging.kill('SIGKILL')

  const worker = await stage.worker('transcode')
  let command: Encoder | undefined
  const looking = setInterval(() => {
    if (command === undefined) command = encoderUnder(worker.pid)
    else command.cpuSeconds = cpuSecondsOf(command.pid) ?? command.cpuSeconds
  }, LOOK_MS)
  try {
    const { upload: copied } = await stage.until(sent.uploadId, isEnded, READY_MS, ASK_MS)
    if (copied.state !== 'ready') throw new Error(`the copy was not made: ${problems(copied)}`)
  } finally {
    clearInterval(looking)
  }
  await worker.kill('SIGTERM')
  const jobMs = await stage.transcodeMs(sent.uploadId)
  if (jobMs === undefined || command === undefined) throw new Error('the transcode process was not found')
  const bare = await runBare(stage.dir, command, film)
  await stage.remove(sent.submissionId)
  return {
    jobSeconds: jobMs / 1000,
    jobCpuSeconds: command.cpuSeconds,
    bareSeconds: bare.seconds,
    bareCpuSeconds: bare.cpuSeconds,
  }
}

function isEnded({ state }: { state: string }): boolean {
  return state === 'ready' || state === 'failed'
}

/** The ffmpeg that encodes below a process; undefined while none runs. */
function encoderUnder(root: number): Encoder | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(0, -1)
      if (!/(^|\/)ffmpeg$/.test(words[0] ?? '') || !words.includes('libx264')) continue
      const pid = Number(name)
      if (isBelow(pid, root)) return { pid, words, niceness: getPriority(pid), cpuSeconds: 0 }
    } catch {
      // the process has ended
    }
  }
  return undefined
}

function isBelow(pid: number, root: number): boolean {
  for (let at = pid; at > 1; at = parentOf(at)) if (at === root) return true
  return false
}

/** Fields of /proc/PID/stat from the third on (the state), proc(5). */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1])
}

/** User and kernel time so far; undefined for a process that has ended. */
function cpuSecondsOf(pid: number): number | undefined {
  try {
    const fields = statOf(pid)
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  } catch {
    return undefined
  }
}

/** The same arguments, with the film itself as input (the worker's copy is deleted) and another output. */
async function runBare(dir: string, { words, niceness }: Encoder, film: Film) {
  const [program = 'ffmpeg', ...args] = words
  const folder = await mkdtemp(join(dir, 'bare-'))
  args[args.indexOf('-i') + 1] = `file:${film.path}`
  args[args.length - 1] = `file:${join(folder, 'out.mp4')}`
  const startedMs = performance.now()
  let cpuSeconds = 0
  let looking: NodeJS.Timeout | undefined
  const code = await new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'ignore' }).on('error', reject).on('close', resolve)
    // The same priority as in the worker, so that other load affects both equally.
    const { pid } = child
    if (pid === undefined) return
    setPriority(pid, niceness)
    looking = setInterval(() => {
      cpuSeconds = cpuSecondsOf(pid) ?? cpuSeconds
    }, LOOK_MS)
  }).finally(() => clearInterval(looking))
  const seconds = (performance.now() - startedMs) / 1000
  await rm(folder, { recursive: true, force: true })
  if (code !== 0) throw new Error(`bare ffmpeg ended with ${String(code)}`)
  return { seconds, cpuSeconds }
}
