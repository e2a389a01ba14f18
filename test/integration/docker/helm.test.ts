// The chart for Kubernetes: its values, its schema and the variables that its pods get. What it renders is looked at where
// `helm` is installed, and checked by `kubeconform` where that is too.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Compile } from 'typebox/schema'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { loadConfig, loadWorkerConfig } from '../../../src/core/config.ts'
import { EnvSchema } from '../../../src/core/env-schema.ts'
import { LANES } from '../../../src/jobs/contract.ts'

const CHART = join(import.meta.dirname, '../../../docker/helm/songngan')
const read = (name: string) => readFileSync(join(CHART, name), 'utf8')

type Worker = { lanes: string[]; settings: Record<string, string>; [other: string]: unknown }
type Values = {
  settings: Record<string, string>
  secrets: Record<string, string>
  service: { settings: Record<string, string>; replicas: number; [other: string]: unknown }
  workers: Record<string, Worker>
  [other: string]: unknown
}

const values = parse(read('values.yaml')) as Values
const schema = JSON.parse(read('values.schema.json'))
const validator = Compile(schema)
const templates = readdirSync(join(CHART, 'templates')).map((name) => read(`templates/${name}`))

/** Read by the SDK of the bucket, not by us. */
const AWS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
const KNOWN = [...Object.keys(EnvSchema.properties), ...AWS]

const with_ = (change: (copy: Values) => void): Values => {
  const copy = structuredClone(values)
  change(copy)
  return copy
}

describe('the chart’s values', () => {
  test('fit its schema, which knows every name', () => {
    expect(validator.Check(values)).toBe(true)
    expect(Object.keys(values).every((name) => name in schema.properties)).toBe(true)
  })

  test.each<[string, (copy: Values) => void]>([
    ['a misspelt name', (copy) => Object.assign(copy, { servcie: {} })],
    ['a secret among the settings', (copy) => Object.assign(copy.settings, { TICKET_SECRET: 'x' })],
    ['a secret among those of services', (copy) => Object.assign(copy.service.settings, { API_KEYS: 'a:b' })],
    ['what the chart sets itself', (copy) => Object.assign(copy.settings, { OPS_PORT: '1' })],
    ['a number that is no text', (copy) => Object.assign(copy.settings, { MAX_UPLOAD_BYTES: 1 })],
    ['no service at all', (copy) => Object.assign(copy.service, { replicas: 0 })],
    ['a lane that does not exist', (copy) => copy.workers['media']?.lanes.push('polish')],
    ['workers with the name of the service', (copy) => Object.assign(copy.workers, { service: copy.workers['media'] })],
  ])('are refused with %s', (_what, change) => {
    expect(validator.Check(with_(change))).toBe(false)
  })

  test('have workers for every lane', () => {
    expect(
      Object.values(values.workers)
        .flatMap(({ lanes }) => lanes)
        .toSorted(),
    ).toEqual([...LANES].toSorted())
  })

  test('name settings that exist', () => {
    const given = [
      values.settings,
      values.service.settings,
      ...Object.values(values.workers).map((one) => one.settings),
    ]
    for (const name of given.flatMap((settings) => Object.keys(settings))) expect(KNOWN).toContain(name)
  })
})

describe('the chart’s variables', () => {
  const named = templates.flatMap((text) => [
    ...[...text.matchAll(/name: ([A-Z][A-Z0-9_]+)\b/g)].map(([, name = '']) => name),
    ...[...text.matchAll(/"([A-Z][A-Z0-9]*_[A-Z0-9_]+)"/g)].map(([, name = '']) => name),
  ])
  const refused: string[] = schema.definitions.settings.propertyNames.not.enum

  test('exist, and are refused as settings', () => {
    expect(new Set(named).size).toBeGreaterThan(15)
    for (const name of named.filter((one) => one !== 'WEBHOOK_URL')) {
      expect(KNOWN).toContain(name)
      expect(refused).toContain(name)
    }
  })

  test('are all of which something is refused as a setting, but for fault points, which are for tests', () => {
    expect(refused.filter((name) => !named.includes(name))).toEqual(['FAULT_POINTS'])
  })
})

const helmAvailable = spawnSync('helm', ['version']).status === 0
const kubeconformAvailable = spawnSync('kubeconform', ['-v']).status === 0
/** Where kubeconform finds the schemas of Kubernetes; unset: it asks the network. */
const SCHEMAS = process.env['KUBERNETES_SCHEMAS']

type Variable = { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string; optional: boolean } } }
type Container = {
  env: Variable[]
  image: string
  lifecycle?: { preStop: { exec: { command: string[] } } }
  readinessProbe: unknown
  livenessProbe: { httpGet: { path: string } }
  startupProbe: { httpGet: { path: string } }
  securityContext: unknown
}
type Thing = {
  kind: string
  metadata: { name: string }
  spec: {
    replicas?: number
    triggers?: { type: string; metadata: { query: string } }[]
    policyTypes?: string[]
    egress?: unknown[]
    podSelector?: { matchLabels: Record<string, string> }
    template: {
      metadata: { labels: Record<string, string> }
      spec: {
        containers: [Container]
        securityContext: unknown
        automountServiceAccountToken: boolean
        terminationGracePeriodSeconds: number
      }
    }
  }
}

/** All that is optional, too. */
const FULL = {
  settings: { WEBHOOK_URL: 'https://portal.example/hooks', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' },
  secrets: { webhooks: 'songngan-webhooks' },
  profilesConfigMap: 'own-profiles',
  ingress: { enabled: true },
  monitoring: { podMonitor: true },
  workers: {
    verdicts: { autoscaling: { enabled: true } },
    media: { autoscaling: { enabled: true }, scratch: { storageClassName: 'fast' } },
  },
}

function helm(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('helm', args, { encoding: 'utf8' })
  return { status, output: status === 0 ? stdout : stderr }
}

function rendered(own: object): { things: Thing[]; text: string } {
  const folder = mkdtempSync(join(tmpdir(), 'songngan-helm-'))
  try {
    writeFileSync(join(folder, 'own.yaml'), JSON.stringify(own))
    const { status, output } = helm(
      'template',
      'intake',
      CHART,
      '--kube-version',
      '1.31.0',
      '-f',
      join(folder, 'own.yaml'),
    )
    expect(status, output).toBe(0)
    const documents = parseAllDocuments(output).map((document) => document.toJS() as Thing | null)
    return { things: documents.filter((thing) => thing !== null), text: output }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe.skipIf(!helmAvailable).each([
  ['by default', {}],
  ['with all that is optional', FULL],
])('the chart, rendered %s', (_how, own) => {
  const { things, text } = helmAvailable ? rendered(own) : { things: [], text: '' }
  const deployments = things.filter(({ kind }) => kind === 'Deployment')
  const containerOf = (name: string) => {
    const found = deployments.find(({ metadata }) => metadata.name === `intake-songngan-${name}`)
    if (found === undefined) throw new Error(`no deployment ${name}`)
    return found.spec.template.spec.containers[0]
  }
  const namesOf = (name: string) => containerOf(name).env.map((variable) => variable.name)
  /** With what a Secret would have. */
  const environmentOf = (name: string) => {
    const secrets: Record<string, string> = {
      REDIS_URL: 'redis://:password@redis:6379',
      API_KEYS: 'portal:secret-of-a-portal-0123',
      TICKET_SECRET: 'a secret for tests that is long enough',
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 'ab').toString('base64')}`,
    }
    return Object.fromEntries(containerOf(name).env.map((one) => [one.name, one.value ?? secrets[one.name]]))
  }

  test('helm finds nothing to complain about', () => {
    expect(helm('lint', CHART, '--strict', '--kube-version', '1.31.0').status).toBe(0)
  })

  test.skipIf(!kubeconformAvailable || SCHEMAS === undefined)('kubeconform neither', () => {
    const { status, stdout } = spawnSync(
      'kubeconform',
      ['-strict', '-ignore-missing-schemas', '-schema-location', SCHEMAS ?? ''],
      { input: text, encoding: 'utf8' },
    )
    expect(status, stdout).toBe(0)
  })

  test('has one service and each set of workers, with settings that a process accepts', () => {
    expect(deployments.map(({ metadata }) => metadata.name).toSorted()).toEqual(
      ['chores', 'media', 'service', 'verdicts'].map((name) => `intake-songngan-${name}`),
    )
    expect(loadConfig(environmentOf('service'))).toMatchObject({
      processes: 2,
      storage: { kind: 's3', dataDir: '/data' },
    })
    for (const [name, { lanes }] of Object.entries(values.workers))
      expect(loadWorkerConfig(environmentOf(name)).workers.lanes.toSorted()).toEqual(lanes.toSorted())
    for (const { metadata } of deployments) {
      const names = namesOf(metadata.name.replace('intake-songngan-', ''))
      expect(new Set(names).size).toBe(names.length)
      for (const name of names) expect(KNOWN).toContain(name)
    }
  })

  test('gives workers nothing that signs, and the secret of webhooks only to those that send them', () => {
    for (const name of Object.keys(values.workers)) {
      const given = namesOf(name)
      expect(given).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(TICKET_|SESSION_|LINK_|RECEIPT_|UPLOAD_ID_|API_KEYS)/)]),
      )
      if (name !== 'chores') expect(given.filter((one) => one.startsWith('WEBHOOK_'))).toEqual([])
    }
    expect(namesOf('chores').includes('WEBHOOK_SECRET')).toBe('secrets' in own)
    // Values are for everybody who may read a Deployment.
    expect(
      deployments
        .flatMap(({ spec }) => spec.template.spec.containers[0].env)
        .filter(({ name, value }) => value !== undefined && /SECRET|PASSWORD|KEYS?$|REDIS_URL|HEADERS/.test(name)),
    ).toEqual([])
  })

  test('drains a service before it ends, by its own name, and gives it the time', () => {
    const service = deployments.find(({ metadata }) => metadata.name.endsWith('-service'))
    const command = containerOf('service').lifecycle?.preStop.exec.command.at(-1)
    expect(command).toBe('exec node dist/src/cli.js drain "$(uname -n):$OPS_PORT" --yes --wait 600s')
    expect(service?.spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(600 + 8)
    // It asks for secrets that workers do not have; a worker that is told to end takes no more jobs anyway.
    for (const name of Object.keys(values.workers)) expect(containerOf(name).lifecycle).toBeUndefined()
  })

  test('restarts nothing because Redis or the bucket is away', () => {
    for (const { spec } of deployments) {
      const [{ livenessProbe, startupProbe, readinessProbe }] = spec.template.spec.containers
      expect([livenessProbe.httpGet.path, startupProbe.httpGet.path]).toEqual(['/health/live', '/health/live'])
      expect(readinessProbe).toMatchObject({ httpGet: { path: '/health/ready', port: 'ops' } })
    }
  })

  test('lets pods do as little as they need', () => {
    for (const { spec } of deployments) {
      const pod = spec.template.spec
      expect(pod.automountServiceAccountToken).toBe(false)
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
      expect(pod.containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
    }
    const policies = things.filter(({ kind }) => kind === 'NetworkPolicy')
    // Each pod is selected by one that limits both ways.
    for (const { metadata, spec } of deployments) {
      const { labels } = spec.template.metadata
      const closing = policies.filter(
        (policy) =>
          policy.spec.policyTypes?.length === 2 &&
          Object.entries(policy.spec.podSelector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value),
      )
      expect([metadata.name, closing.length]).toEqual([metadata.name, 1])
    }
  })

  test('scales workers only, by what waits in their own lanes, and no services', () => {
    expect(things.filter(({ kind }) => kind === 'HorizontalPodAutoscaler')).toEqual([])
    const scaled = things.filter(({ kind }) => kind === 'ScaledObject')
    expect(scaled.map(({ metadata }) => metadata.name).toSorted()).toEqual(
      'workers' in own ? ['intake-songngan-media', 'intake-songngan-verdicts'] : [],
    )
    for (const { metadata, spec } of scaled) {
      const lanes = metadata.name.endsWith('-media') ? 'inspect|transcode' : 'validate'
      expect(spec.triggers?.map(({ type, metadata: { query } }) => [type, query])).toEqual([
        [
          'prometheus',
          `sum(max by (queue, state) (bullmq_jobs{queue=~"${lanes}", state=~"prioritized|waiting|active"}))`,
        ],
        ['prometheus', `max(media_queue_oldest_waiting_seconds{queue=~"${lanes}"})`],
      ])
      expect(deployments.find((one) => one.metadata.name === metadata.name)?.spec.replicas).toBeUndefined()
    }
  })
})

test.skipIf(!helmAvailable)('the chart refuses an address for webhooks without a secret to sign them', () => {
  const { status, output } = helm(
    'template',
    'x',
    CHART,
    '--kube-version',
    '1.31.0',
    '--set',
    'settings.WEBHOOK_URL=https://a.example',
  )
  expect(status).not.toBe(0)
  expect(output).toContain('settings.WEBHOOK_URL needs secrets.webhooks')
})
