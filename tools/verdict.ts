// `npm run verdict`: measures two goals of the workers. The verdict comes within two seconds after the last byte of an
// hour of video, however many transcodes wait; and a transcode job takes little longer than ffmpeg itself.
// Exit code 1 if a goal is missed.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from './bench/stats.ts'
import { runTool } from './lib/usage.ts'
import { bytesInWords } from './lib/words.ts'
import { parseVerdictArgs, type StoreName, USAGE, type VerdictArgs } from './verdict/args.ts'
import { type Film, largeFilm, longFilm } from './verdict/films.ts'
import { type Round, timeTranscode } from './verdict/overhead.ts'
import { fillBacklog, type Sample, takeSample } from './verdict/samples.ts'
import { openStage } from './verdict/stage.ts'

/** Seconds. */
const VERDICT_GOAL = 2
const OVERHEAD_GOAL = 0.03

/** Long enough that few of them finish during the samples. */
const BACKLOG_MINUTES = 3

type Films = { lessons: Film[]; large: Film }
type Result = { store: StoreName; samples: Sample[]; rounds: Round[] }

const say = (line: string) => process.stdout.write(`${line}\n`)
const seconds = (value: number) => `${value.toFixed(2)} s`

function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

async function makeFilms(dir: string, args: VerdictArgs): Promise<Films> {
  const { minutes, bytes } = args
  const films = {
    lessons: [
      await longFilm(dir, 'index-last', { minutes, bytes, faststart: false }),
      await longFilm(dir, 'index-first', { minutes, bytes, faststart: true }),
    ],
    large: await largeFilm(dir, 'large', BACKLOG_MINUTES),
  }
  for (const { path, bytes: size, seconds: length } of films.lessons)
    say(`${path.split('/').at(-1)}: ${(length / 60).toFixed(2)} min, ${bytesInWords(size)}`)
  return films
}

async function verdicts(store: StoreName, films: Films, args: VerdictArgs): Promise<Sample[]> {
  const stage = await openStage(store)
  try {
    await stage.worker('validate,inspect,notify,maintain')
    // Some finish while the samples are taken.
    await fillBacklog(stage, films.large, args.backlog + args.samples)
    await stage.worker('transcode')
    const samples: Sample[] = []
    for (let n = 0; n < args.samples; n++) {
      const film = films.lessons[n % films.lessons.length]
      if (film === undefined) break
      const sample = await takeSample(stage, film)
      // The previous film was inspected during this sample, as on a busy evening; now it is deleted to free space.
      const before = samples.at(-1)
      if (before !== undefined) await stage.remove(before.submissionId)
      samples.push(sample)
      say(lineOf(store, n + 1, sample))
    }
    return samples
  } finally {
    await stage.close()
  }
}

function lineOf(store: StoreName, n: number, { afterLastByte, afterAnswer, sendSeconds, steps, backlog }: Sample) {
  const parts = [
    ...(store === 's3' ? [`the S3 server joins ${seconds(steps.join)}`] : []),
    `queued ${seconds(steps.wait)}`,
    `validated ${seconds(steps.judge)}`,
  ]
  return `${store} ${n}: verdict ${seconds(afterLastByte)} after the last byte, ${seconds(afterAnswer)} after the answer (${parts.join(', ')}); sent in ${seconds(sendSeconds)}; transcodes: ${backlog.running} run, ${backlog.waiting} wait`
}

async function overheads(store: StoreName, [film]: Film[], args: VerdictArgs): Promise<Round[]> {
  if (film === undefined) throw new Error('no film to transcode')
  const stage = await openStage(store)
  try {
    const rounds: Round[] = []
    for (let n = 0; n < args.rounds; n++) {
      const round = await timeTranscode(stage, film)
      rounds.push(round)
      say(
        `${store} transcode ${n + 1}: job ${seconds(round.jobSeconds)} (${seconds(round.jobCpuSeconds)} CPU in ffmpeg), bare ffmpeg ${seconds(round.bareSeconds)} (${seconds(round.bareCpuSeconds)} CPU)`,
      )
    }
    return rounds
  } finally {
    await stage.close()
  }
}

/** Prints the result for a store; returns the missed goals. */
function judge({ store, samples, rounds }: Result, args: VerdictArgs): string[] {
  const errors: string[] = []
  if (samples.length > 0) {
    const waits = samples.map(({ afterLastByte }) => afterLastByte)
    const p95 = percentile(waits, 0.95)
    const fewest = Math.min(...samples.map(({ backlog }) => backlog.running + backlog.waiting))
    say(
      `${store}: verdict after the last byte: median ${seconds(median(waits))}, p95 ${seconds(p95)}, max ${seconds(Math.max(...waits))}; ${samples.length} samples, with at least ${fewest} transcodes`,
    )
    if (p95 > VERDICT_GOAL) errors.push(`${store}: p95 of the verdict is ${seconds(p95)}`)
    if (fewest < args.backlog) errors.push(`${store}: only ${fewest} transcodes ran or waited`)
  }
  if (rounds.length > 0) {
    const overhead = median(rounds.map(({ jobSeconds, bareSeconds }) => jobSeconds / bareSeconds)) - 1
    say(`${store}: a transcode job takes ${(overhead * 100).toFixed(1)} % longer than ffmpeg alone (median)`)
    if (overhead > OVERHEAD_GOAL) errors.push(`${store}: overhead of ${(overhead * 100).toFixed(1)} %`)
  }
  return errors
}

await runTool(USAGE, async () => {
  const args = parseVerdictArgs(process.argv.slice(2))
  const dir = await mkdtemp(join(tmpdir(), 'songngan-films-'))
  try {
    const films = await makeFilms(dir, args)
    const results: Result[] = []
    for (const store of args.stores)
      results.push({
        store,
        samples: args.samples === 0 ? [] : await verdicts(store, films, args),
        rounds: args.rounds === 0 ? [] : await overheads(store, films.lessons, args),
      })
    say('')
    const errors = results.flatMap((result) => judge(result, args))
    for (const error of errors) say(`✗ ${error}`)
    if (args.jsonFile !== undefined)
      await writeFile(args.jsonFile, `${JSON.stringify({ args, results, errors }, null, 2)}\n`)
    return errors.length === 0 ? 0 : 1
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
