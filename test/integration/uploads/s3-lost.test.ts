// A bucket's lifecycle rule, or somebody with a console, has aborted a multipart upload under us: its bytes are gone. The
// client is told to begin anew instead of being asked to try again for ever.

import { AbortMultipartUploadCommand } from '@aws-sdk/client-s3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { redisKeys } from '../../../src/records/keys.ts'
import { createS3Client } from '../../../src/storage/s3-client.ts'
import { filmBytes } from '../../support/bytes.ts'
import { s3Available } from '../../support/s3.ts'
import { idOf } from '../../support/tus.ts'
import { openHouse } from './house.ts'
import { expectProblem } from './problem.ts'

const MIB = 1024 ** 2
const PART = 8 * MIB

describe.skipIf(!s3Available())('S3', () => {
  test('a multipart upload that was aborted from outside ends: 410, an event, a line for the operator', async () => {
    const house = await openHouse({ store: 's3' })
    onTestFinished(() => house.close())
    const bytes = filmBytes(2 * PART + MIB, 'lost')
    const user = await house.user('film')
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    expect((await user.patch(url, 0, bytes.subarray(0, PART))).status).toBe(204)
    const { object } = await house.record(url)
    const { endpoint, bucket, region } = house.s3 ?? { endpoint: '', bucket: '', region: '' }
    const client = createS3Client({ bucket, endpoint, region, forcePathStyle: true })
    onTestFinished(() => client.destroy())
    await client.send(
      new AbortMultipartUploadCommand({ Bucket: bucket, Key: object.key, UploadId: object.multipartId }),
    )
    expectProblem(await user.patch(url, PART, bytes.subarray(PART)), 410, 'UPLOAD_EXPIRED')
    expect((await user.head(url)).status).toBe(410)
    expectProblem(await user.patch(url, PART, bytes.subarray(PART)), 410, 'UPLOAD_EXPIRED')
    expect(await house.record(url)).toMatchObject({ state: 'expired' })
    const events = await house.deps.redis.hot.xrange(redisKeys.events('portal'), '-', '+')
    const ours = events.flatMap(([, fields]) => fields).filter((field) => field.includes(idOf(url)))
    expect(ours.join()).toContain('upload.expired')
    const line = house.lines
      .map((text) => JSON.parse(text))
      .find(({ uploadId, level }) => uploadId === idOf(url) && level === 'error')
    expect(line).toMatchObject({ receivedBytes: PART, msg: expect.stringContaining('lifecycle rule') })
  }, 120_000)
})
