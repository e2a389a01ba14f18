// Every error code that a caller can get: HTTP status, text in Thai and English.

/** A text in both languages. Teachers read the Thai one. */
export type Bilingual = { th: string; en: string }

type Entry = Bilingual & { status: number }

const e = (status: number, th: string, en: string): Entry => ({ status, th, en })

/** Every code that the API answers with. The meaning of a code never changes; its text may. */
export const ERRORS = {
  // requests
  BAD_REQUEST: e(400, 'คำขอไม่ถูกต้อง', 'The request is not valid.'),
  BODY_NOT_JSON: e(400, 'เนื้อหาคำขอไม่ใช่ JSON ที่ถูกต้อง', 'The request body is not valid JSON.'),
  ID_INVALID: e(
    400,
    'รหัสต้องเป็นตัวอักษร ตัวเลข หรือ . _ ~ - ยาวไม่เกิน 128 ตัว',
    'Ids are 1 to 128 of the characters A-Z a-z 0-9 . _ ~ -',
  ),
  CURSOR_INVALID: e(400, 'เคอร์เซอร์ไม่ถูกต้อง', 'The cursor was not issued by this API.'),
  NOT_FOUND: e(404, 'ไม่พบที่อยู่นี้', 'This address does not exist.'),
  METHOD_NOT_ALLOWED: e(405, 'ใช้เมธอดนี้กับที่อยู่นี้ไม่ได้', 'This method is not allowed for this address.'),
  PRECONDITION_FAILED: e(
    412,
    'ข้อมูลเปลี่ยนไปแล้วตั้งแต่อ่านครั้งล่าสุด โปรดอ่านใหม่แล้วลองอีกครั้ง',
    'The resource has changed since you read it; fetch it again and retry.',
  ),
  BODY_TOO_LARGE: e(413, 'เนื้อหาคำขอใหญ่เกินไป', 'The request body is too large.'),
  REQUEST_TIMEOUT: e(408, 'ส่งคำขอช้าเกินไป โปรดลองใหม่', 'The request took too long to arrive; try again.'),
  EXPECTATION_UNSUPPORTED: e(417, 'ไม่รองรับค่าในส่วนหัว Expect', 'Expect: 100-continue is the only supported expectation.'),
  HEADERS_TOO_LARGE: e(431, 'ส่วนหัวของคำขอใหญ่เกินไป', 'The headers of the request are too large.'),
  TRANSFER_CODING_UNSUPPORTED: e(
    501,
    'ไม่รองรับ Transfer-Encoding นี้',
    'The only supported Transfer-Encoding is chunked.',
  ),
  MEDIA_TYPE_UNSUPPORTED: e(415, 'ไม่รองรับชนิดเนื้อหาของคำขอนี้', 'The Content-Type of the request is not supported.'),
  INDEX_REBUILDING: e(
    503,
    'ระบบกำลังจัดทำรายการใหม่ โปรดลองอีกครั้งในไม่ช้า ไฟล์ที่ส่งแล้วไม่สูญหาย',
    'The index is being rebuilt; no data is lost. Try again soon.',
  ),
  RATE_LIMITED: e(503, 'ส่งคำขอถี่เกินไป โปรดลองใหม่ภายหลัง', 'Too many requests; try again later.'),
  INTERNAL: e(
    500,
    'เกิดข้อผิดพลาดในระบบ ไฟล์ที่ส่งแล้วไม่สูญหาย โปรดลองใหม่',
    'Internal error. No stored data is lost; try again.',
  ),

  // credentials
  API_KEY_INVALID: e(401, 'ไม่มีคีย์ API หรือคีย์ไม่ถูกต้อง', 'The API key is missing or wrong.'),
  TOO_MANY_WRONG_CREDENTIALS: e(
    429,
    'มีการใช้คีย์หรือรหัสผ่านที่ไม่ถูกต้องหลายครั้งเกินไป โปรดรอสักครู่แล้วลองใหม่',
    'Too many wrong keys or passwords from this address or for this account; wait a moment and try again.',
  ),
  SESSION_INVALID: e(
    401,
    'เซสชันไม่ถูกต้องหรือหมดอายุ โปรดเปิดหน้านี้จากระบบของท่านอีกครั้ง',
    'The session is not valid or has expired; open the page from your portal again.',
  ),
  SESSION_REVOKED: e(
    401,
    'เซสชันนี้ถูกยกเลิกแล้ว โปรดเปิดหน้านี้จากระบบของท่านอีกครั้ง',
    'The session has been revoked; open the page from your portal again.',
  ),
  REVOCATIONS_LIMIT: e(
    409,
    'ยกเลิกเซสชันทีละรายการครบจำนวนสูงสุดแล้ว โปรดยกเลิกทั้งคำขอแทน',
    'Too many sessions or persons of this submission were revoked one by one; revoke all of its sessions.',
  ),
  SESSION_SCOPE: e(403, 'เซสชันนี้ไม่มีสิทธิ์ทำสิ่งนี้', 'The session has no permission for this.'),
  TICKET_INVALID: e(401, 'ไม่มีตั๋วส่งไฟล์หรือตั๋วไม่ถูกต้อง', 'The upload ticket is missing or not valid.'),
  TICKET_EXPIRED: e(401, 'ตั๋วส่งไฟล์หมดอายุ โปรดขอตั๋วใหม่', 'The upload ticket has expired; request a new one.'),
  TICKET_REVOKED: e(
    401,
    'ตั๋วส่งไฟล์ถูกยกเลิกแล้ว โปรดเปิดหน้านี้จากระบบของท่านอีกครั้ง ไฟล์ที่ส่งครบแล้วยังอยู่',
    'The upload ticket has been revoked; open the page from your portal again. Files that were received are kept.',
  ),
  KEYS_UNAVAILABLE: e(
    503,
    'ตรวจสอบตั๋วไม่ได้ชั่วคราว โปรดลองใหม่',
    'The signing keys of the portal cannot be fetched at the moment; try again.',
  ),
  TICKET_SCOPE: e(403, 'ตั๋วนี้ใช้กับไฟล์นี้ไม่ได้', 'This ticket is for another submission or slot.'),
  LINK_INVALID: e(403, 'ลิงก์ไม่ถูกต้อง', 'The link is not valid.'),
  LINK_REVOKED: e(410, 'ลิงก์ถูกยกเลิกแล้ว โปรดขอลิงก์ใหม่', 'The link has been revoked; request a new one.'),
  LINK_EXPIRED: e(410, 'ลิงก์หมดอายุ โปรดขอลิงก์ใหม่', 'The link has expired; request a new one.'),

  // submissions
  SUBMISSION_UNKNOWN: e(404, 'ไม่พบคำขอนี้', 'There is no such submission.'),
  SUBMISSION_DELETED: e(410, 'คำขอนี้ถูกลบแล้ว', 'The submission has been deleted.'),
  SUBMISSION_DUPLICATE: e(
    409,
    'มีคำขอที่ใช้งานอยู่สำหรับบุคคลและวิทยฐานะนี้แล้ว',
    'Another active submission has the same uniqueKey.',
  ),
  SUBMISSION_SEALED: e(
    403,
    'คำขอนี้ยื่นแล้ว แก้ไขไม่ได้จนกว่าจะถูกส่งคืน',
    'The submission is sealed; it cannot be changed until it is returned.',
  ),
  SUBMISSION_INCOMPLETE: e(
    409,
    'ยังยื่นไม่ได้ มีไฟล์ที่ยังขาดหรือยังตรวจไม่เสร็จ',
    'The submission is not complete: files are missing or not yet checked.',
  ),
  SUBMISSION_NOT_SEALED: e(
    409,
    'คำขอนี้ยังไม่ได้ยื่น จึงส่งคืนหรือปิดไม่ได้',
    'Only a sealed submission can be returned or closed; one with late rejections can be returned too.',
  ),
  CALLBACK_UNSIGNED: e(
    400,
    'ใช้ callbackUrl ไม่ได้ เพราะระบบยังไม่ได้ตั้งค่า WEBHOOK_SECRET สำหรับลงลายเซ็น',
    'callbackUrl is not available: WEBHOOK_SECRET, which signs the events, is not configured.',
  ),
  PROFILE_UNKNOWN: e(404, 'ไม่พบชุดข้อกำหนดนี้', 'There is no such requirement profile.'),
  SLOT_UNKNOWN: e(404, 'ไม่มีช่องไฟล์นี้ในชุดข้อกำหนด', 'The profile has no such slot.'),
  SLOT_FULL: e(409, 'ช่องนี้มีไฟล์ครบแล้ว โปรดระบุไฟล์ที่จะเปลี่ยน', 'The slot is full; name the upload to replace.'),
  SLOT_UPLOADS_LIMIT: e(
    403,
    'ช่องนี้ส่งไฟล์ครบจำนวนครั้งสูงสุดแล้ว โปรดติดต่อผู้ดูแลระบบของท่าน ไฟล์ที่ส่งแล้วยังอยู่ครบ',
    'This slot has had as many uploads as are allowed; ask your portal. What was sent is kept.',
  ),
  SUBMISSION_UPLOADS_LIMIT: e(
    403,
    'คำขอนี้ส่งไฟล์ครบจำนวนครั้งสูงสุดแล้ว โปรดติดต่อผู้ดูแลระบบของท่าน ไฟล์ที่ส่งแล้วยังอยู่ครบ',
    'This submission has had as many uploads as are allowed; ask your portal. What was sent is kept.',
  ),
  SUPERSEDED_LIMIT: e(
    403,
    'ช่องนี้เปลี่ยนไฟล์ครบจำนวนครั้งสูงสุดแล้ว โปรดติดต่อผู้ดูแลระบบของท่าน ไฟล์ล่าสุดยังใช้ได้',
    'The file of this slot has been replaced as often as is allowed; ask your portal. The newest one stands.',
  ),
  STORED_BYTES_LIMIT: e(
    403,
    'ไฟล์ทั้งหมดที่ส่งในช่องนี้มีขนาดรวมถึงขีดจำกัดแล้ว โปรดติดต่อผู้ดูแลระบบของท่าน ไฟล์ที่ส่งแล้วยังอยู่ครบ',
    'All files sent to this slot together have reached the size limit; ask your portal. What was sent is kept.',
  ),
  OPEN_UPLOADS_LIMIT: e(
    403,
    'ท่านมีไฟล์ที่ส่งค้างอยู่ครบจำนวนสูงสุดแล้ว โปรดส่งให้เสร็จหรือยกเลิกก่อนส่งไฟล์ใหม่',
    'You have as many unfinished uploads as are allowed; finish or cancel some first.',
  ),
  OPEN_BYTES_LIMIT: e(
    403,
    'ไฟล์ที่ท่านส่งค้างอยู่มีขนาดรวมกันเกินกำหนด โปรดส่งให้เสร็จหรือยกเลิกก่อนส่งไฟล์ใหม่',
    'Your unfinished uploads together are larger than allowed; finish or cancel some first.',
  ),
  SLOT_METADATA_INVALID: e(400, 'ข้อมูลประกอบของช่องนี้ไม่ถูกต้อง', 'The metadata does not match the fields of this slot.'),
  REPLACES_UNKNOWN: e(404, 'ไม่พบไฟล์ที่จะเปลี่ยนในช่องนี้', 'The upload to replace is not in this slot.'),
  NOT_OPEN_YET: e(403, 'ยังไม่ถึงเวลาเปิดรับ', 'The submission is not open yet.'),
  DEADLINE_PASSED: e(403, 'เลยกำหนดส่งแล้ว', 'The deadline has passed.'),

  // uploads
  UPLOAD_UNKNOWN: e(404, 'ไม่พบไฟล์ที่ส่งนี้', 'There is no such upload.'),
  UPLOAD_EXPIRED: e(
    410,
    'ไฟล์นี้ส่งค้างไว้นานเกินไปและถูกลบแล้ว โปรดเริ่มส่งใหม่',
    'The upload was unfinished for too long and has been removed; start again.',
  ),
  UPLOAD_CANCELLED: e(410, 'การส่งไฟล์นี้ถูกยกเลิกแล้ว', 'The upload was cancelled.'),
  UPLOAD_FINISHED: e(
    409,
    'ไฟล์นี้ส่งเสร็จแล้ว แก้ไขหรือลบผ่าน tus ไม่ได้',
    'The upload is complete and can no longer be changed or deleted by its client.',
  ),
  MEDIA_REMOVED: e(
    410,
    'ไฟล์นี้ถูกลบตามระยะเวลาเก็บรักษาแล้ว บันทึกการส่งยังอยู่',
    'The file was removed at the end of its retention period; its record is kept.',
  ),
  MEDIA_UNKNOWN: e(404, 'ไม่พบไฟล์ชื่อนี้', 'The upload has no file of this name.'),
  MEDIA_NOT_READY: e(409, 'ไฟล์นี้ยังเตรียมไม่เสร็จ โปรดลองใหม่ในอีกสักครู่', 'The file is not ready yet; try again in a moment.'),
  RECEIPT_NOT_READY: e(409, 'ยังออกใบรับไม่ได้ ไฟล์ยังส่งไม่ครบ', 'There is no receipt yet: the upload is not complete.'),
  RECEIPT_NOT_SEALED: e(
    409,
    'ยังออกใบรับคำขอไม่ได้ เพราะยังไม่ได้ยื่นคำขอ',
    'There is no receipt of this revision: it has not been handed in.',
  ),
  RECEIPT_INVALID: e(400, 'ใบรับไม่ถูกต้องหรือถูกแก้ไข', 'This receipt was not issued by this service, or it was changed.'),
  RECEIPT_KEY_WITHDRAWN: e(
    400,
    'ใบรับนี้ลงลายเซ็นด้วยกุญแจที่ถูกเพิกถอนก่อนวันที่ออกใบรับ จึงใช้ไม่ได้ โปรดขอใบรับใหม่',
    'The key of this receipt was withdrawn before the date of the receipt; it is void. Get a new one.',
  ),
  RECEIPT_NOT_CONFIRMED: e(
    400,
    'กุญแจของใบรับนี้ถูกเพิกถอนแล้ว และข้อมูลในใบรับไม่ตรงกับที่ระบบบันทึกไว้ โปรดขอใบรับใหม่',
    'The key of this receipt was withdrawn, and the records do not confirm what the receipt says. Get a new one.',
  ),
  RECEIPT_SIGNING_STOPPED: e(
    503,
    'ออกใบรับไม่ได้ชั่วคราว ไฟล์ที่ส่งแล้วไม่สูญหาย โปรดลองใหม่ภายหลัง',
    'Receipts cannot be signed: the signing key was withdrawn and there is no other. Nothing that was received is lost.',
  ),
  UPLOAD_TAKEN_OVER: e(400, 'มีการเชื่อมต่อใหม่ส่งไฟล์นี้ต่อแล้ว', 'A newer request has taken over this upload.'),
  UPLOAD_LOCKED: e(423, 'ระบบไม่ว่างชั่วคราว โปรดลองใหม่', 'The upload is busy; try again in a moment.'),
  OFFSET_MISMATCH: e(
    409,
    'ตำแหน่งไฟล์ไม่ตรงกับที่ได้รับแล้ว',
    'Upload-Offset does not match the stored bytes; continue from the Upload-Offset of this response.',
  ),
  TUS_HEADER_INVALID: e(400, 'ส่วนหัวของ tus ไม่ถูกต้อง', 'A tus header is missing or malformed.'),
  TUS_VERSION_UNSUPPORTED: e(412, 'ต้องใช้ tus รุ่น 1.0.0', 'Tus-Resumable: 1.0.0 is required.'),
  METADATA_TOO_LARGE: e(413, 'ข้อมูลประกอบของไฟล์ยาวเกินไป', 'Upload-Metadata is too large.'),
  UPLOAD_EMPTY: e(400, 'ไฟล์ว่างเปล่า', 'The file is empty.'),
  UPLOAD_TOO_LARGE: e(413, 'ไฟล์ใหญ่เกินกำหนด', 'The file is larger than this slot allows.'),
  UPLOAD_TYPE_NOT_ALLOWED: e(415, 'ช่องนี้ไม่รับไฟล์ชนิดนี้', 'This slot does not accept files of this type.'),
  UPLOAD_LENGTH_EXCEEDED: e(413, 'ข้อมูลยาวกว่าขนาดไฟล์ที่แจ้ง', 'The body has more bytes than Upload-Length declared.'),
  CHECKSUM_MISMATCH: e(460, 'ข้อมูลที่ได้รับเสียหายระหว่างทาง โปรดส่งใหม่', 'The checksum does not match.'),
  CHECKSUM_BODY_TOO_LARGE: e(
    413,
    'ส่วนของไฟล์ที่มีค่าตรวจสอบยาวเกินกำหนด โปรดแบ่งให้เล็กลง',
    'A body with Upload-Checksum is larger than allowed; send smaller ones.',
  ),
  CHECKSUM_UNSUPPORTED: e(400, 'ไม่รองรับวิธีตรวจสอบนี้', 'Upload-Checksum names an algorithm that is not supported.'),
  CONCAT_INVALID: e(400, 'การรวมไฟล์ไม่ถูกต้อง', 'Upload-Concat does not name finished partial uploads of this ticket.'),
  CONCAT_FINAL_PATCH: e(403, 'ไฟล์ที่รวมแล้วเขียนต่อไม่ได้', 'A final upload cannot be written to.'),

  // the service
  DRAINING: e(503, 'ระบบกำลังสลับเครื่อง โปรดลองใหม่', 'This instance is shutting down; try again.'),
  OVERLOADED: e(503, 'ระบบหนาแน่น โปรดลองใหม่ในไม่กี่วินาที', 'The service is overloaded; try again in a few seconds.'),
  ADMISSION_CLOSED: e(
    503,
    'ระบบพักรับไฟล์ใหม่ชั่วคราว ไฟล์ที่กำลังส่งอยู่ส่งต่อได้ โปรดลองใหม่ภายหลัง',
    'New uploads are closed at the moment; running uploads continue. Try again later.',
  ),
  NO_SPACE: e(507, 'พื้นที่จัดเก็บไม่พอชั่วคราว', 'No storage space is left at the moment.'),
  STORE_UNAVAILABLE: e(503, 'ที่เก็บไฟล์ไม่พร้อมชั่วคราว โปรดลองใหม่', 'The object store is not available at the moment.'),
  REDIS_UNAVAILABLE: e(503, 'ระบบไม่พร้อมชั่วคราว โปรดลองใหม่', 'Redis is not available at the moment.'),
} as const satisfies Record<string, Entry>

export type ErrorCode = keyof typeof ERRORS
