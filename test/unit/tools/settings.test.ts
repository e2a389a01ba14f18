import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isOwnMachine, readSettings, serviceUrl } from '../../../tools/lib/settings.ts'
import { numberOption, UsageError } from '../../../tools/lib/usage.ts'

describe('serviceUrl', () => {
  it.each(['http://127.0.0.1:8080', 'https://stage.example/x', 'http://[::1]:8080/'])('takes %s', (url) => {
    expect(serviceUrl(url).href).toBe(new URL(url).href)
  })
  it.each(['ftp://127.0.0.1', 'not a url', 'http://127.0.0.1@example.com', 'https://a:b@example.com'])(
    'refuses %s',
    (url) => {
      expect(() => serviceUrl(url)).toThrow(UsageError)
    },
  )
  it('knows what is this machine, which needs no consent', () => {
    const own = (url: string) => isOwnMachine(new URL(url))
    for (const url of ['http://127.0.0.1:8080', 'https://localhost', 'http://[::1]:8080/', 'http://127.1.2.3'])
      expect(own(url), url).toBe(true)
    for (const url of ['http://10.0.0.1:8080', 'http://127.0.0.1.example.com', 'http://localhost.example.com'])
      expect(own(url), url).toBe(false)
  })
})

describe('readSettings', () => {
  let dataDir = ''
  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'songngan-settings-'))
    writeFileSync(join(dataDir, 'secrets.json'), '{"apiKey":"kept","webhookSecret":"whsec_kept"}')
  })
  afterAll(() => rmSync(dataDir, { recursive: true }))

  it('finds what npm start made', () => {
    expect(readSettings({ DATA_DIR: dataDir })).toEqual({
      base: new URL('http://127.0.0.1:8080'),
      apiKey: 'kept',
      webhookSecret: 'whsec_kept',
    })
  })
  it('takes the environment first, and the first of several', () => {
    const env = { DATA_DIR: dataDir, API_KEYS: 'a:first,b:second', WEBHOOK_SECRET: 'whsec_1, whsec_2' }
    expect(readSettings(env)).toMatchObject({ apiKey: 'first', webhookSecret: 'whsec_1' })
    expect(readSettings({ ...env, API_KEY: 'own' }).apiKey).toBe('own')
  })
  it('goes where the service listens', () => {
    const at = (env: Record<string, string>) => readSettings({ API_KEY: 'k', ...env }).base.origin
    expect(at({ PORT: '9000' })).toBe('http://127.0.0.1:9000')
    expect(at({ HOST: '0.0.0.0' })).toBe('http://127.0.0.1:8080')
    expect(at({ HOST: '::1', PORT: '81' })).toBe('http://[::1]:81')
    expect(at({ HOST: '192.168.1.5' })).toBe('http://192.168.1.5:8080')
  })
  it('never gives the key of the service here to another machine', () => {
    const env = { DATA_DIR: dataDir, API_KEYS: 'a:first' }
    expect(() => readSettings(env, 'https://stage.example')).toThrow('No API key for https://stage.example')
    expect(readSettings({ ...env, API_KEY: 'load' }, 'https://stage.example')).toMatchObject({ apiKey: 'load' })
  })
  it('says what is missing', () => {
    expect(() => readSettings({ DATA_DIR: '/nonexistent' })).toThrow('No API key')
  })
})

describe('numberOption', () => {
  const limits = { fallback: 5, min: 1, max: 10, whole: true }
  it('reads, falls back, and refuses', () => {
    expect(numberOption('n', undefined, limits)).toBe(5)
    expect(numberOption('n', '7', limits)).toBe(7)
    for (const text of ['', ' ', '0', '11', '1.5', 'many', 'Infinity'])
      expect(() => numberOption('n', text, limits), text).toThrow('--n must be a number from 1 to 10')
  })
})
