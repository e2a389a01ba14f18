// What can be said about the images and the compose file without an engine: that they keep our own rules.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { EnvSchema } from '../../../src/core/env-schema.ts'

const ROOT = join(import.meta.dirname, '../../..')

type Service = {
  image?: string
  build?: { target?: string; dockerfile?: string }
  user?: string
  profiles?: string[]
  environment?: Record<string, string>
  ports?: string[]
  healthcheck?: { test: string[] }
  stop_grace_period?: string
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  pids_limit?: number
  env_file?: string[]
  command?: string[]
  depends_on?: Record<string, { condition: string }>
  volumes?: string[]
}
type Compose = {
  version?: string
  services: Record<string, Service>
  volumes: Record<string, unknown>
  networks: Record<string, unknown>
}
type Stage = { name: string; from: string; lines: string[] }

let compose: Compose
let stages: Stage[]
let flags: Record<string, string[]> & {
  fromNode24: Record<string, string[]>
  environment: Record<string, Record<string, string>>
}

/** Instructions of a Dockerfile by stage, with continued lines joined. */
function stagesOf(text: string): Stage[] {
  const found: Stage[] = []
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
  for (const line of lines) {
    const [, from, name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? []
    if (from !== undefined && name !== undefined) found.push({ name, from, lines: [] })
    else found.at(-1)?.lines.push(line)
  }
  return found
}

/** The stage's own instructions after those of the stages it is made from. */
function allLines(name: string): string[] {
  const stage = stages.find((one) => one.name === name)
  return stage === undefined ? [] : [...allLines(stage.from), ...stage.lines]
}

const last = (name: string, instruction: string) =>
  allLines(name)
    .filter((line) => line.startsWith(`${instruction} `))
    .at(-1)
    ?.slice(instruction.length + 1)

beforeAll(async () => {
  compose = parse(await readFile(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true })
  stages = stagesOf(await readFile(join(ROOT, 'docker/Dockerfile'), 'utf8'))
  flags = JSON.parse(await readFile(join(ROOT, 'scripts/node-flags.json'), 'utf8'))
})

describe('docker/Dockerfile', () => {
  test.each(['service', 'worker', 's3'])('%s does not run as root and has a health check', (name) => {
    expect(last(name, 'USER')).toMatch(/^(node|\d+:\d+)$/)
    expect(last(name, 'HEALTHCHECK')).toContain('CMD [')
  })

  test('every image from outside has a version', () => {
    const names = new Set(stages.map(({ name }) => name))
    const outside = stages.map(({ from }) => from).filter((from) => !names.has(from))
    expect(outside.length).toBeGreaterThan(0)
    for (const from of outside) expect(from).toMatch(/:v?\d+\.\d+/)
  })

  test.each([
    ['service', 'dist/src/server.js'],
    ['worker', 'dist/workers/main.js'],
  ])('%s starts node under tini, with the flags of the table for Node 24', (name, entry) => {
    expect(last(name, 'ENTRYPOINT')).toBe('["tini", "--"]')
    const command = [...(flags[name] ?? []), ...(flags.fromNode24[name] ?? [])]
    expect(JSON.parse(last(name, 'CMD') ?? 'null')).toEqual(['node', ...command, entry])
    for (const [key, value] of Object.entries(flags.environment[name] ?? {}))
      expect(allLines(name)).toContain(`ENV ${key}=${value}`)
  })

  test('media tools are in the worker only', () => {
    expect(allLines('worker').join('\n')).toMatch(/ffmpeg.*qpdf/)
    expect(allLines('service').join('\n')).not.toMatch(/ffmpeg|poppler|qpdf/)
  })

  test('copied files are not in .dockerignore, secrets are', async () => {
    const kept = (await readFile(join(ROOT, '.dockerignore'), 'utf8')).split('\n')
    expect(kept).toContain('*')
    const copies = stages.flatMap(({ lines }) => lines.filter((line) => /^COPY (?!--from)/.test(line)))
    for (const source of copies.flatMap((line) => line.split(' ').slice(1, -1))) {
      expect(kept).toContain(`!${source}`)
    }
    expect(kept.some((line) => line.startsWith('!') && /env|data|secret/.test(line))).toBe(false)
  })
})

describe('docker-compose.yml', () => {
  test('has no version key, and knows every volume and network it uses', () => {
    expect(compose.version).toBeUndefined()
    const named = Object.values(compose.services)
      .flatMap(({ volumes }) => volumes ?? [])
      .filter((volume) => /^[a-z]/.test(volume))
      .map((volume) => volume.split(':')[0])
    expect(named.sort()).toEqual(Object.keys(compose.volumes).sort())
  })

  test.each(['service', 'worker', 'redis', 's3', 'edge', 'prometheus', 'grafana'])('%s is hardened', (name) => {
    const service = compose.services[name]
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      pids_limit: expect.any(Number),
    })
    expect(service?.stop_grace_period).toMatch(/^\d+s$/)
    expect(service?.image).toMatch(/:v?\d+\.\d+/)
    const target = service?.build?.target
    // Images of our own have their user and health check in the Dockerfile, others get them here.
    if (target === undefined) {
      expect(service?.user).toMatch(/^(?!root|0)/)
      expect(service?.healthcheck?.test[0]).toBe('CMD')
    } else expect(stages.map((stage) => stage.name)).toContain(target)
  })

  test.each(['service', 'worker'])('%s gets only variables that exist, and waits for its dependencies', (name) => {
    const service = compose.services[name]
    const known = [...Object.keys(EnvSchema.properties), 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
    for (const variable of Object.keys(service?.environment ?? {})) expect(known).toContain(variable)
    expect(service?.depends_on).toMatchObject({
      redis: { condition: 'service_healthy' },
      s3: { condition: 'service_healthy' },
    })
  })

  test('no container gets a file of secrets, and no command line contains a secret', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect({ name, env_file: service.env_file }).toEqual({ name, env_file: undefined })
      expect(JSON.stringify(service.command ?? '')).not.toMatch(/(?<!\$)\$\{?\w/)
    }
  })

  test('a worker has no secrets for tickets, sessions or API keys', () => {
    const given = Object.keys(compose.services['worker']?.environment ?? {})
    expect(given).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(TICKET_|API_KEYS)/)]))
    expect(given).toContain('MEDIA_ISOLATION')
  })

  test('every setting reaches the service or the worker', () => {
    const given = [compose.services['service'], compose.services['worker']].flatMap((service) =>
      Object.keys(service?.environment ?? {}),
    )
    // AWS has no endpoint and no path style of its own; fault points are for tests.
    const fixed = ['FAULT_POINTS', 'S3_REGION']
    const missing = Object.keys(EnvSchema.properties).filter((name) => !given.includes(name))
    expect(missing.filter((name) => !fixed.includes(name))).toEqual([])
  })

  test('Redis reads its password from a file in memory', async () => {
    const [shell = '', flag, script = ''] = compose.services['redis']?.command ?? []
    const folder = await mkdtemp(join(tmpdir(), 'songngan-redis-'))
    try {
      const { stdout } = await promisify(execFile)(
        shell,
        [
          flag ?? '',
          script
            .replaceAll('$$', '$')
            .replaceAll('/tmp/redis.conf', join(folder, 'redis.conf'))
            .replace('exec redis-server', 'exec cat'),
        ],
        { env: { PATH: process.env['PATH'], REDISCLI_AUTH: 'pass word' } },
      )
      expect(stdout).toContain('include /etc/redis/redis.conf\nrequirepass "pass word"\n')
      expect((await stat(join(folder, 'redis.conf'))).mode & 0o777).toBe(0o600)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('only the edge is published beyond this machine', () => {
    for (const [name, { ports = [] }] of Object.entries(compose.services)) {
      if (name !== 'edge') for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
    }
    expect(compose.services['edge']?.profiles).toEqual(['edge'])
  })
})

test('files that compose mounts are in the repository', async () => {
  const mounts = Object.values(compose.services)
    .flatMap(({ volumes = [] }) => volumes)
    .filter((volume) => volume.startsWith('./'))
  expect(mounts.length).toBeGreaterThan(5)
  await Promise.all(mounts.map((mount) => stat(join(ROOT, mount.split(':')[0] ?? ''))))
})

test('Prometheus scrapes every service and worker under the names that alerts ask for', async () => {
  const { scrape_configs: jobs } = parse(await readFile(join(ROOT, 'docker/prometheus/prometheus.yml'), 'utf8')) as {
    scrape_configs: { job_name: string; dns_sd_configs: { names: string[]; port: number }[] }[]
  }
  expect(jobs.map(({ job_name }) => job_name)).toEqual(['songngan-service', 'songngan-worker'])
  for (const { job_name, dns_sd_configs } of jobs)
    expect(dns_sd_configs).toMatchObject([{ names: [job_name.replace('songngan-', '')], port: 9464 }])
})
