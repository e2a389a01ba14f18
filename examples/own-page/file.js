// For pages that send files themselves: what identifies a file, and what to say where it is refused.

/** The same for one file on every device: SHA-256 over its length, its first and its last MiB. */
export async function fingerprintOf(file) {
  const ends = new Blob([String(file.size), file.slice(0, 2 ** 20), file.slice(Math.max(0, file.size - 2 ** 20))])
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await ends.arrayBuffer()))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** For the person. The service's refusals (problem documents) have texts in Thai and English, and so do the errors of its client. */
export function messageOf(error, language = 'th') {
  const { originalResponse, causingError } = error
  const isProblem = originalResponse?.getHeader('Content-Type')?.startsWith('application/problem+json')
  const texts = isProblem ? JSON.parse(originalResponse.getBody()).message : (causingError ?? error).texts
  return texts?.[language] ?? 'ส่งไฟล์ไม่สำเร็จ โปรดตรวจสอบการเชื่อมต่อ แล้วลองใหม่'
}
