// Fault points: off they do nothing, and nobody can switch them on where others can reach the service.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ConfigError, loadConfig } from '../../../src/core/config.ts'
import { FAULT_POINTS, faultPoint, openFaultPoints } from '../../../src/core/fault-points.ts'

const NEEDED = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  TICKET_SECRET: 'a-ticket-secret-of-thirty-two-characters',
}

let dir: string
let killed: unknown[][]

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'songngan-points-'))
  killed = []
  vi.spyOn(process, 'kill').mockImplementation((...call) => {
    killed.push(call)
    return true
  })
})
afterEach(() => {
  openFaultPoints(undefined)
  vi.restoreAllMocks()
  rmSync(dir, { recursive: true, force: true })
})

const arm = (order: string) => writeFileSync(join(dir, 'armed'), order)

test('without a folder no file is read', () => {
  arm('create.after-hot 1 a')
  faultPoint('create.after-hot')
  expect(killed).toEqual([])
  expect(existsSync(join(dir, 'armed'))).toBe(true)
})

test('the process dies at the armed step and hit, once, after it has recorded the hit', () => {
  openFaultPoints(dir)
  arm('create.after-hot 2 a')
  faultPoint('create.before-hot')
  faultPoint('create.after-hot')
  expect(killed).toEqual([])
  faultPoint('create.after-hot')
  expect(killed).toEqual([[process.pid, 'SIGKILL']])
  expect(readFileSync(join(dir, 'hits'), 'utf8')).toBe(`create.after-hot ${process.pid} a\n`)
  faultPoint('create.after-hot')
  expect(killed).toHaveLength(1)
})

test('hits are counted separately each time a step is armed', () => {
  openFaultPoints(dir)
  arm('create.after-hot 2 a')
  faultPoint('create.after-hot')
  arm('create.after-hot 2 b')
  faultPoint('create.after-hot')
  expect(killed).toEqual([])
})

test('the names are unique', () => {
  expect(FAULT_POINTS.length).toBeGreaterThanOrEqual(25)
  expect(new Set(FAULT_POINTS).size).toBe(FAULT_POINTS.length)
})

test.each([{ HOST: '0.0.0.0' }, { HOST: '192.0.2.1' }, { OPS_HOST: '::' }])('refused with %o', (where) => {
  expect(() => loadConfig({ ...NEEDED, FAULT_POINTS: dir, ...where })).toThrow(ConfigError)
  expect(loadConfig({ ...NEEDED, ...where }).faultPoints).toBeUndefined()
})

test('accepted on loopback addresses', () => {
  expect(loadConfig({ ...NEEDED, FAULT_POINTS: dir }).faultPoints).toBe(dir)
})
