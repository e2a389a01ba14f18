import { describe, expect, it } from 'vitest'
import { allowedHosts } from '../../../src/core/addresses.ts'
import { callbackUrlError } from '../../../src/submissions/callback-url.ts'

describe('callbackFault', () => {
  it.each(['https://portal.example/hook?x=1', 'http://93.184.216.34:8080/', 'http://[2606:2800:220:1::1]/'])(
    'takes %s',
    (url) => expect(callbackUrlError(url, { allowed: allowedHosts([]) })).toBeUndefined(),
  )

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0177.0.0.1/',
    'http://localhost:8080/',
    'http://portal.localhost/',
    'http://LOCALHOST./',
    'http://10.1.2.3/',
    'http://172.31.0.1/',
    'http://192.168.1.1/',
    'http://169.254.169.254/latest/meta-data',
    'http://100.64.0.1/',
    'http://0.0.0.0/',
    'http://[::1]/',
    'http://[::]/',
    'http://[fd00::1]/',
    'http://[fe80::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:a00:1]/',
    'http://redis.internal/',
  ])('refuses %s unless private addresses are allowed', (url) => {
    expect(callbackUrlError(url, { allowed: allowedHosts([]) })).toMatch(/private/)
    expect(callbackUrlError(url, { allowed: allowedHosts([], true) })).toBeUndefined()
  })

  it.each(['', 'portal', '/hook', 'javascript:alert(1)', 'file:///etc/passwd', 'https://u:p@portal.example/'])(
    'refuses %j always',
    (url) => expect(callbackUrlError(url, { allowed: allowedHosts([], true) })).toEqual(expect.any(String)),
  )
})
