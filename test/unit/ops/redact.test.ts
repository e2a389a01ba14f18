import { expect, it } from 'vitest'
import { redact } from '../../../src/ops/redact.ts'

it('redacts credentials in names and texts, at any depth, and nothing else', () => {
  const shown = redact({
    data: {
      uploadId: 'abc',
      ticket: 'eyJ…',
      nested: [{ secret: 's', Authorization: 'Bearer x', attempts: 3, token: null }],
    },
    logs: [
      'GET https://s3.example/b/k?X-Amz-Signature=0af&X-Amz-Expires=60&x-amz-credential=AK%2F1 failed',
      'redis://:pa55@redis:6379 and https://user:pw@portal.example/hook?token=abc',
      'sent /media/eyJhbGciOiJIUzI1NiIsInR5cCI6.MaC-1_x/การสอน.mp4 with whsec_MfKQ9r8GKYqr',
      'Authorization: Bearer abc.def',
    ],
    failedReason: null,
    when: 12,
  })
  expect(shown).toEqual({
    data: {
      uploadId: 'abc',
      ticket: '[redacted]',
      nested: [{ secret: '[redacted]', Authorization: '[redacted]', attempts: 3, token: null }],
    },
    logs: [
      'GET https://s3.example/b/k?X-Amz-Signature=[redacted]&X-Amz-Expires=60&x-amz-credential=[redacted] failed',
      'redis://[redacted]@redis:6379 and https://[redacted]@portal.example/hook?token=[redacted]',
      'sent /media/[redacted]/การสอน.mp4 with [redacted]',
      'Authorization: Bearer [redacted]',
    ],
    failedReason: null,
    when: 12,
  })
})
