import Fastify, { type FastifyBaseLogger } from 'fastify'
import { afterEach, expect, it } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { errorHandler, useHttpErrors } from '../../../src/http/errors.ts'

const lines: { level: string; msg: string; err?: { stack?: string; message?: string }; code?: string }[] = []
afterEach(() => {
  lines.length = 0
})

async function appThatThrows(thrown: unknown) {
  const logger = createLogger({ name: 'test', level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) })
  const app = Fastify({
    loggerInstance: logger as FastifyBaseLogger,
    frameworkErrors: errorHandler,
    genReqId: () => 'req-7',
  })
  useHttpErrors(app)
  app.get('/things/:id', async () => {
    throw thrown
  })
  app.post('/things', async () => 'made')
  app.get('/files/*', async () => 'file')
  return app
}
const logged = () => lines.filter(({ msg }) => /error/.test(msg))

it('an unexpected error is INTERNAL, logged with its stack, and the response has no details', async () => {
  const app = await appThatThrows(new Error('password=hunter2 at 10.0.0.1'))
  const answer = await app.inject('/things/1')
  expect(answer.statusCode).toBe(500)
  expect(answer.json()).toMatchObject({ code: 'INTERNAL', status: 500 })
  expect(answer.body).not.toContain('hunter2')
  expect(answer.headers).toMatchObject({
    'content-type': 'application/problem+json; charset=utf-8',
    'x-request-id': 'req-7',
    'cache-control': 'no-store',
  })
  expect(logged()).toEqual([expect.objectContaining({ level: 'error' })])
  expect(logged()[0]?.err?.stack).toContain('http-errors.test.ts')
})

it('so is a thrown value that is no Error', async () => {
  const app = await appThatThrows('a string')
  expect((await app.inject('/things/1')).json()).toMatchObject({ code: 'INTERNAL' })
  expect(logged()).toHaveLength(1)
})

it('an error of the catalogue has its headers, details and Retry-After', async () => {
  const error = new AppError('STORE_UNAVAILABLE', {
    retryAfterSeconds: 10,
    headers: { 'x-extra': 'yes' },
    details: { limit: 3, code: 'NOT_THIS' },
    status: 423,
  })
  const app = await appThatThrows(error)
  const answer = await app.inject('/things/1')
  expect(answer.statusCode).toBe(423)
  expect(answer.headers).toMatchObject({ 'retry-after': '10', 'x-extra': 'yes' })
  expect(answer.json()).toMatchObject({ code: 'STORE_UNAVAILABLE', status: 423, limit: 3 })
  expect(logged()).toHaveLength(0)
})

it('system errors are logged, refusals are not', async () => {
  await (await appThatThrows(new AppError('REDIS_UNAVAILABLE'))).inject('/things/1')
  expect(logged()).toEqual([expect.objectContaining({ level: 'warn', code: 'REDIS_UNAVAILABLE' })])
  lines.length = 0
  await (await appThatThrows(new AppError('SLOT_FULL'))).inject('/things/1')
  expect(logged()).toHaveLength(0)
})

it('other Fastify errors with a 4xx status keep it', async () => {
  const app = await appThatThrows(Object.assign(new Error('Odd request'), { statusCode: 418 }))
  expect((await app.inject('/things/1')).json()).toMatchObject({ code: 'BAD_REQUEST', detail: 'Odd request' })
  const schema = { querystring: { type: 'object', properties: { n: { type: 'integer' } } } }
  const validating = await appThatThrows(undefined)
  validating.get('/checked', { schema }, async () => 'fine')
  expect((await validating.inject('/checked?n=x')).json()).toMatchObject({
    code: 'BAD_REQUEST',
    errors: [{ in: 'query', path: '/n', message: 'must be integer' }],
  })
})

it('distinguishes an unknown path from an unsupported method', async () => {
  const app = await appThatThrows(undefined)
  expect((await app.inject('/nothing')).json()).toMatchObject({ code: 'NOT_FOUND', status: 404 })
  expect((await app.inject('/things/1/2')).statusCode).toBe(404)
  for (const [url, allow] of [
    ['/things?x=1', 'POST'],
    ['/things/1', 'GET, HEAD'],
    ['/files/a/b', 'GET, HEAD'],
  ] as const) {
    const answer = await app.inject({ method: 'DELETE', url })
    expect(answer.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED', status: 405 })
    expect(answer.headers['allow']?.split(', ').sort().join(', ')).toBe(allow)
  }
})

it('errors before routing have the same format', async () => {
  const app = await appThatThrows(undefined)
  expect((await app.inject('/things/%E0%A4%A')).json()).toMatchObject({ code: 'BAD_REQUEST' })
  expect((await app.inject(`/things/${'x'.repeat(101)}`)).json()).toMatchObject({ code: 'ID_INVALID' })
})
