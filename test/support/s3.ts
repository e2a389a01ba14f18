// A private S3 server for one test file: versitygw over a directory, or a bucket on S3_TEST_ENDPOINT.

import { existsSync, mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import { S3ObjectStore } from '../../src/storage/s3.ts'
import { createS3Client } from '../../src/storage/s3-client.ts'
import { type Child, startChild } from './children.ts'
import { freePort, statusOf, waitFor } from './http.ts'

export type TestS3 = {
  /** http://127.0.0.1:port; buckets are addressed by path. */
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly credentials: { accessKeyId: string; secretAccessKey: string }
  /** The directory under versitygw; undefined on S3_TEST_ENDPOINT. Objects of `bucket` lie in `dir/bucket`. */
  readonly dir: string | undefined
  /** What the service and the worker need, besides `STORAGE=s3` which is included. */
  readonly env: Record<string, string>
  /** The server's clock minus ours in ms, to the second: their clocks need not agree. */
  readonly skewMs: number
  /** kill -9 (not on S3_TEST_ENDPOINT). */
  kill(): Promise<void>
  /** Starts again with the same port and directory. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const BUCKET_RANDOM = 8

/** The versitygw that the test run provides: on PATH, in the project's cache, or in Go's own folder. */
function versitygw(): string | undefined {
  const { PATH, GOPATH } = process.env
  const folders = (PATH ?? '').split(delimiter)
  folders.push(join(import.meta.dirname, '../../.cache/bin'))
  folders.push(join(import.meta.dirname, '../../../.cache/bin')) // from dist/test/support
  folders.push(join(GOPATH ?? join(homedir(), 'go'), 'bin'))
  return folders.map((folder) => join(folder, 'versitygw')).find((path) => existsSync(path))
}

/** Whether `startS3` can work here; tests that need it say `describe.skipIf(!s3Available())`. */
export function s3Available(): boolean {
  const { S3_TEST_ENDPOINT } = process.env
  return Boolean(S3_TEST_ENDPOINT) || versitygw() !== undefined
}

/** A bucket of this test's own on an S3 server. */
export function startS3(): Promise<TestS3> {
  const { S3_TEST_ENDPOINT } = process.env
  return S3_TEST_ENDPOINT ? bucketOn(S3_TEST_ENDPOINT) : ownServer()
}

function bucketName(): string {
  return `songngan-${Math.random()
    .toString(36)
    .slice(2, 2 + BUCKET_RANDOM)}`
}

function environment(endpoint: string, bucket: string, region: string, key: string, secret: string) {
  return {
    STORAGE: 's3',
    S3_ENDPOINT: endpoint,
    S3_BUCKET: bucket,
    S3_REGION: region,
    S3_FORCE_PATH_STYLE: 'true',
    AWS_ACCESS_KEY_ID: key,
    AWS_SECRET_ACCESS_KEY: secret,
  }
}

/** Gives this process the keys of the server: the AWS credential chain looks nowhere else. */
export function useCredentials({ credentials }: TestS3): void {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  })
}

async function skewOf(endpoint: string): Promise<number> {
  const { headers } = await fetch(endpoint)
  return Date.parse(headers.get('date') ?? '') - Date.now()
}

/** The product's store over the bucket. `endpoint`: another way to it, through a proxy. */
export function storeOver(s3: TestS3, endpoint = s3.endpoint, sockets?: number): S3ObjectStore {
  useCredentials(s3)
  const { bucket, region } = s3
  const client = createS3Client({ bucket, region, endpoint, forcePathStyle: true }, sockets)
  client.config.systemClockOffset = s3.skewMs // as the probe at the start leaves it
  return new S3ObjectStore(client, bucket)
}

async function ownServer(): Promise<TestS3> {
  const program = versitygw()
  if (program === undefined) throw new Error('no versitygw here: ask s3Available() first, or run npm test')
  const dir = await mkdtemp(join(tmpdir(), 'songngan-s3-'))
  const bucket = bucketName()
  mkdirSync(join(dir, bucket))
  const credentials = { accessKeyId: 'songngan-test', secretAccessKey: 'songngan-test-secret' }
  const region = 'us-east-1'

  const launch = async (port: number): Promise<Child> => {
    const child = await startChild(program, [
      '--port',
      `127.0.0.1:${port}`,
      '--keep-alive',
      '--quiet',
      '--region',
      region,
      '--access',
      credentials.accessKeyId,
      '--secret',
      credentials.secretAccessKey,
      'posix',
      dir,
    ])
    await waitFor(async () => !child.running() || (await statusOf(`http://127.0.0.1:${port}/`)) > 0, {
      what: 'versitygw to answer',
    })
    if (!child.running()) throw new Error(`versitygw did not start:\n${child.output()}`)
    return child
  }
  let port = await freePort()
  let child: Child
  try {
    child = await launch(port)
  } catch {
    // the port may have been taken between asking for it and using it: once more with another one
    port = await freePort()
    child = await launch(port)
  }
  const endpoint = `http://127.0.0.1:${port}`
  const kill = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    endpoint,
    bucket,
    region,
    credentials,
    dir,
    env: environment(endpoint, bucket, region, credentials.accessKeyId, credentials.secretAccessKey),
    skewMs: await skewOf(endpoint),
    kill,
    async restart() {
      if (child.running()) await kill()
      child = await launch(port)
    },
    async stop() {
      await child.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function bucketOn(endpoint: string): Promise<TestS3> {
  const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret, AWS_REGION } = process.env
  if (!key || !secret) throw new Error('S3_TEST_ENDPOINT needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
  const credentials = { accessKeyId: key, secretAccessKey: secret }
  const region = AWS_REGION ?? 'us-east-1'
  const bucket = bucketName()
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  const foreign = () => Promise.reject(new Error('a server given by S3_TEST_ENDPOINT is not ours to end'))
  return {
    endpoint,
    bucket,
    region,
    credentials,
    dir: undefined,
    env: environment(endpoint, bucket, region, key, secret),
    skewMs: await skewOf(endpoint),
    kill: foreign,
    restart: foreign,
    async stop() {
      for (;;) {
        const page = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
        const keys = (page.Contents ?? []).map(({ Key }) => ({ Key: Key ?? '' }))
        if (keys.length === 0) break
        await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: keys } }))
      }
      await client.send(new DeleteBucketCommand({ Bucket: bucket }))
      client.destroy()
    },
  }
}
