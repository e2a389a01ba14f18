import { describe, expect, it } from 'vitest'
import {
  encodeChunk,
  encodeHead,
  encodeLastChunk,
  field,
  mergeHeaders,
} from '../../../../tools/conformance/wire/message.ts'
import { MalformedResponse, parseResponse } from '../../../../tools/conformance/wire/parse.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')

describe('parseResponse', () => {
  it('waits for the end of head and body, and says how much it took', () => {
    const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'
    for (let cut = 0; cut < whole.length; cut += 1) {
      expect(parseResponse(bytes(whole.slice(0, cut)), 'GET', false)).toBeUndefined()
    }
    const parsed = parseResponse(bytes(`${whole}HTTP/1.1 404`), 'GET', false)
    expect(parsed?.response).toMatchObject({ status: 200, reason: 'OK' })
    expect(parsed?.response.body.toString()).toBe('abc')
    expect(parsed?.consumed).toBe(whole.length)
  })

  it('expects no body after HEAD, 1xx and 204, whatever Content-Length says', () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n'
    expect(parseResponse(bytes(head), 'HEAD', false)?.consumed).toBe(head.length)
    expect(parseResponse(bytes(head), 'POST', false)).toBeUndefined()
    expect(parseResponse(bytes('HTTP/1.1 100 Continue\r\n\r\n'), 'PATCH', false)?.response.status).toBe(100)
    expect(parseResponse(bytes('HTTP/1.1 204 No Content\r\n\r\n'), 'PATCH', false)?.response.status).toBe(204)
  })

  it('reads chunked bodies, with chunk extensions and trailers', () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
    const plain = parseResponse(bytes(`${head}3;x=1\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`), 'GET', false)
    expect(plain?.response.body.toString()).toBe('abcde')
    const trailed = `${head}1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n`
    expect(parseResponse(bytes(trailed), 'GET', false)?.consumed).toBe(trailed.length)
    expect(parseResponse(bytes(`${head}1\r\na\r\n0\r\nX-Sum: 1\r\n`), 'GET', false)).toBeUndefined()
  })

  it('lets the end of the connection end a body without a length', () => {
    const open = bytes('HTTP/1.1 200 OK\r\n\r\nabc')
    expect(parseResponse(open, 'GET', false)).toBeUndefined()
    expect(parseResponse(open, 'GET', true)?.response.body.toString()).toBe('abc')
  })

  it.each(['SSH-2.0-OpenSSH\r\n', 'HTTP/2 200\r\n\r\n', 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n'])(
    'throws on what is no response: %j',
    (text) => {
      expect(() => parseResponse(bytes(text), 'GET', false)).toThrow(MalformedResponse)
    },
  )

  it('joins repeated fields as RFC 9110 says and finds them without case', () => {
    const parsed = parseResponse(bytes('HTTP/1.1 204 No\r\nA: 1\r\na: 2\r\n\r\n'), 'GET', false)
    expect(parsed && field(parsed.response, 'A')).toBe('1, 2')
    expect(parsed && field(parsed.response, 'B')).toBeUndefined()
  })
})

describe('encoding requests', () => {
  it('sends what it is told: repeated, empty and removed headers, raw targets', () => {
    const fields = mergeHeaders(
      { Host: 'h', 'Tus-Resumable': '1.0.0' },
      {
        'tus-resumable': null,
        'Upload-Offset': ['0', '5'],
        'X-Empty': '',
      },
    )
    expect(encodeHead({ method: 'PATCH', target: '/a%00\u00ff', fields }).toString('latin1')).toBe(
      'PATCH /a%00\u00ff HTTP/1.1\r\nHost: h\r\nUpload-Offset: 0\r\nUpload-Offset: 5\r\nX-Empty: \r\n\r\n',
    )
  })

  it('frames chunks, and no empty one before the end', () => {
    expect(encodeChunk(Buffer.alloc(17, 'a')).toString()).toBe(`11\r\n${'a'.repeat(17)}\r\n`)
    expect(encodeChunk(Buffer.alloc(0)).length).toBe(0)
    expect(encodeLastChunk({ 'X-Sum': '1' }).toString()).toBe('0\r\nX-Sum: 1\r\n\r\n')
  })
})
