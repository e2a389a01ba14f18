// Names the S3 operation of a path-style request, as the service reference of S3 calls it.

/** `url` is the request target: `/bucket/key?query`. `copy`: the request has an x-amz-copy-source header. */
export function s3Operation(method: string, url: string, copy: boolean): string {
  const { pathname, searchParams: query } = new URL(url, 'http://s3')
  const [bucket = '', ...rest] = pathname.slice(1).split('/')
  const key = rest.join('/')
  if (bucket === '') return 'ListBuckets'
  return key === '' ? bucketOperation(method, query) : objectOperation(method, query, copy)
}

function bucketOperation(method: string, query: URLSearchParams): string {
  if (method === 'HEAD') return 'HeadBucket'
  if (method === 'PUT') return 'CreateBucket'
  if (method === 'DELETE') return 'DeleteBucket'
  if (method === 'POST') return 'DeleteObjects'
  if (query.has('uploads')) return 'ListMultipartUploads'
  return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects'
}

function objectOperation(method: string, query: URLSearchParams, copy: boolean): string {
  const inUpload = query.has('uploadId')
  switch (method) {
    case 'HEAD':
      return 'HeadObject'
    case 'GET':
      return inUpload ? 'ListParts' : 'GetObject'
    case 'POST':
      return query.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload'
    case 'DELETE':
      return inUpload ? 'AbortMultipartUpload' : 'DeleteObject'
    default:
      if (inUpload) return copy ? 'UploadPartCopy' : 'UploadPart'
      return copy ? 'CopyObject' : 'PutObject'
  }
}
