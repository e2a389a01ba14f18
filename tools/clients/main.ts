// `npm run clients`: third-party clients upload a file over a connection that is cut, to a service on a directory and one
// on a bucket; every byte must arrive. Exit code 1 if one does not; a client that cannot be installed here is reported,
// and is no failure.

import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { s3Available } from '../../test/support/s3.ts'
import { numberOption, runTool, UsageError } from '../lib/usage.ts'
import { tusgo, tusJava, tuspy } from './foreign.ts'
import { type Client, NotInstalled, type Row, type Scenario, type Task } from './model.ts'
import { openStage, type Stage, type StoreName } from './stage.ts'
import { tusJs } from './tus-js.ts'
import { uppy } from './uppy.ts'

const CLIENTS: Client[] = [tusJs, uppy, tuspy, tusJava, tusgo]
/** How long the connection needs for the file, so that it can be cut during the upload. */
const LINE_SECONDS = 2
/** A client that hangs is a failure of its row, not of the whole run. */
const ROW_LIMIT_MS = 180_000

const USAGE = `npm run clients -- [--only WORD] [--store local|s3] [--size MIB] [--cuts N]
  --only WORD   clients whose name contains the word: ${CLIENTS.map(({ name }) => name).join(', ')}
  --store NAME  one store; default both if an S3 server is installed
  --size MIB    size of the file, 4 to 1024; default 20, which gives several parts on S3
  --cuts N      how often the connection is cut during each upload, 0 to 20; default 3
Clients in other languages are installed by pip, mvn and go in .cache/clients. Exit code: 0 every byte arrived, 1 not.`

const say = (line: string) => process.stdout.write(`${line}\n`)

function readOptions() {
  const text = { type: 'string' } as const
  try {
    const { values } = parseArgs({ options: { only: text, store: text, size: text, cuts: text } })
    const { store, only = '' } = values
    if (store !== undefined && store !== 'local' && store !== 's3') throw new UsageError('--store must be local or s3')
    const clients = CLIENTS.filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()))
    if (clients.length === 0) throw new UsageError(`no client's name contains ${only}`)
    return {
      clients,
      stores: (['local', 's3'] as const).filter((name) => store === undefined || store === name),
      bytes: numberOption('size', values.size, { fallback: 20, min: 4, max: 1024, whole: true }) * 1024 ** 2,
      cuts: numberOption('cuts', values.cuts, { fallback: 3, min: 0, max: 20, whole: true }),
    }
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}

/** Uploads one file in one case, and checks the result. */
async function runRow(
  stage: Stage,
  task: Task,
  scenario: Scenario,
  cuts: number,
): Promise<Omit<Row, 'client' | 'version' | 'store' | 'scenario'>> {
  const startedMs = performance.now()
  const seconds = () => (performance.now() - startedMs) / 1000
  try {
    const line = { bytes: task.bytes.length, cuts, seconds: LINE_SECONDS }
    const sent = await stage.overCutLine(() => inTime(scenario.send(task)), line)
    const took = seconds()
    const found = await stage.read(sent.url)
    const error =
      errorOf(scenario, task, found) ??
      (sent.cuts < cuts ? `the connection was cut only ${sent.cuts} times` : undefined)
    return { cuts: sent.cuts, seconds: took, ...(error === undefined ? {} : { error }) }
  } catch (error) {
    return { cuts, seconds: seconds(), error: error instanceof Error ? error.message : String(error) }
  }
}

async function inTime<T>(sending: Promise<T>): Promise<T> {
  const tooLate = pause(ROW_LIMIT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`the client did not finish within ${ROW_LIMIT_MS / 1000} s`)
  })
  return await Promise.race([sending, tooLate])
}

function errorOf({ ends }: Scenario, { bytes }: Task, { status, sha256 }: { status: number; sha256: string }) {
  if (ends === 'gone') return status === 404 || status === 410 ? undefined : `GET ${status} after termination`
  if (status !== 200) return `GET ${status}`
  return sha256 === createHash('sha256').update(bytes).digest('hex')
    ? undefined
    : 'the stored bytes differ from the file'
}

async function onStore(
  store: StoreName,
  ready: Map<Client, Scenario[]>,
  file: Pick<Task, 'path' | 'bytes'>,
  cuts: number,
): Promise<Row[]> {
  const rows: Row[] = []
  const stage = await openStage(store)
  try {
    for (const [{ name, version }, scenarios] of ready)
      for (const scenario of scenarios) {
        const result = await runRow(stage, { ...file, endpoint: stage.endpoint }, scenario, cuts)
        const row = { client: name, version, store, scenario: scenario.name, ...result }
        rows.push(row)
        const { error, seconds } = row
        say(
          `${error === undefined ? 'ok  ' : 'FAIL'} ${store.padEnd(5)} ${name} ${version}: ${scenario.name}, ${row.cuts} cuts, ${seconds.toFixed(1)} s${error === undefined ? '' : `\n     ${error}`}`,
        )
      }
  } finally {
    await stage.close()
  }
  return rows
}

await runTool(USAGE, async () => {
  const { clients, stores, bytes, cuts } = readOptions()
  const ready = new Map<Client, Scenario[]>()
  let missing = 0
  const notRun = (what: string, cause: string) => {
    missing++
    say(`skip not run: ${what} (${cause})`)
  }
  for (const client of clients)
    try {
      ready.set(client, await client.prepare())
    } catch (error) {
      if (!(error instanceof NotInstalled)) throw error
      notRun(`${client.name} ${client.version}`, error.message)
    }
  const folder = await mkdtemp(join(tmpdir(), 'songngan-clients-'))
  try {
    const file = { path: join(folder, 'lesson.mp4'), bytes: randomBytes(bytes) }
    await writeFile(file.path, file.bytes)
    const rows: Row[] = []
    for (const store of stores)
      if (store === 's3' && !s3Available()) notRun('s3', 'no S3 server is installed: npm test installs one')
      else rows.push(...(await onStore(store, ready, file, cuts)))
    const failed = rows.filter(({ error }) => error !== undefined).length
    say(`${rows.length} uploads, ${failed} failed; ${missing} not run`)
    return failed === 0 && rows.length > 0 ? 0 : 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
