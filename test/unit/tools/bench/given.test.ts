import { describe, expect, it } from 'vitest'
import { BadCommand, given, splitCommand } from '../../../../tools/bench/servers/given.ts'

const place = {
  port: 4321,
  opsPort: 1,
  dir: '/a folder/data',
  redisUrl: '',
  s3: { endpoint: 'http://127.0.0.1:9', bucket: 'abc', region: 'r', env: { AWS_REGION: 'r' } },
}

describe('a server given by its command', () => {
  it('gets its port and its folder, which may hold spaces', () => {
    const server = given('other=serve --port {port} -d {dir} --base=/files/')
    expect(server).toMatchObject({ name: 'other', kind: 'given', store: 'local' })
    expect(server.command(place)).toMatchObject({
      program: 'serve',
      args: ['--port', '4321', '-d', '/a folder/data', '--base=/files/'],
    })
  })

  it('keeps its data on S3 where it asks for a bucket', () => {
    const server = given("other='/opt/a b/serve' {port} s3://{bucket}@{endpoint}")
    expect(server.store).toBe('s3')
    expect(server.command(place)).toEqual({
      program: '/opt/a b/serve',
      args: ['4321', 's3://abc@http://127.0.0.1:9'],
      env: { AWS_REGION: 'r' },
    })
  })

  it.each(['serve {port}', '=serve {port}', 'other=', 'other=serve', "other=serve '{port}"])('refuses %j', (text) => {
    expect(() => given(text)).toThrow(BadCommand)
  })

  it('splits as a shell does', () => {
    expect(splitCommand(`a 'b c' "d 'e'" f" g" ''`)).toEqual(['a', 'b c', "d 'e'", 'f g', ''])
  })

  it('takes braces off that stand around the whole command, and only those', () => {
    expect(splitCommand('{serve -p {port}}')).toEqual(['serve', '-p', '{port}'])
    expect(splitCommand('{dir}/serve -p {port}')).toEqual(['{dir}/serve', '-p', '{port}'])
  })
})
