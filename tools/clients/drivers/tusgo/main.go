// Uploads one file with tusgo: driver CASE ENDPOINT PATH. Prints the upload's URL.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/bdragon300/tusgo"
)

const mib = 1024 * 1024

func main() {
	location, err := send(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(location)
}

func send(way, endpoint, path string) (string, error) {
	base, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	client := tusgo.NewClient(http.DefaultClient, base)
	if _, err = client.UpdateCapabilities(); err != nil {
		return "", err
	}
	meta := map[string]string{"filename": "lesson.mp4"}
	size := int64(len(data))
	upload := tusgo.Upload{}
	switch way {
	case "partials":
		return join(client, data)
	case "creation":
		_, _, err = client.CreateUploadWithData(&upload, data[:mib], size, false, meta)
	case "deferred":
		_, err = client.CreateUpload(&upload, tusgo.SizeUnknown, false, meta)
		upload.RemoteSize = size
	default:
		_, err = client.CreateUpload(&upload, size, false, meta)
	}
	if err != nil {
		return "", err
	}
	stream := tusgo.NewUploadStream(client, &upload)
	stream.ChunkSize = mib
	stream.SetUploadSize = way == "deferred"
	if way == "stream" {
		stream.ChunkSize = tusgo.NoChunked
	}
	if way == "checksum" {
		stream = stream.WithChecksumAlgorithm("sha1")
	}
	if err = transfer(stream, data); err == nil && way == "terminate" {
		_, err = client.DeleteUpload(upload)
	}
	return upload.Location, err
}

// transfer asks the server for its offset and continues there, again after each lost connection.
func transfer(stream *tusgo.UploadStream, data []byte) error {
	var err error
	for attempt := 0; attempt < 40; attempt++ {
		if attempt > 0 {
			time.Sleep(500 * time.Millisecond)
		}
		if _, err = stream.Sync(); err != nil {
			continue
		}
		stream.ForceClean()
		rest := io.NewSectionReader(bytes.NewReader(data), stream.Tell(), int64(len(data)))
		if _, err = io.Copy(stream, rest); err == nil && stream.Tell() == int64(len(data)) {
			return nil
		}
	}
	return fmt.Errorf("gave up at %d of %d: %w", stream.Tell(), len(data), err)
}

func join(client *tusgo.Client, data []byte) (string, error) {
	half := len(data) / 2
	parts := make([]tusgo.Upload, 2)
	for i, piece := range [][]byte{data[:half], data[half:]} {
		if _, err := client.CreateUpload(&parts[i], int64(len(piece)), true, nil); err != nil {
			return "", err
		}
		stream := tusgo.NewUploadStream(client, &parts[i])
		stream.ChunkSize = mib
		if err := transfer(stream, piece); err != nil {
			return "", err
		}
	}
	final := tusgo.Upload{}
	_, err := client.ConcatenateUploads(&final, parts, map[string]string{"filename": "lesson.mp4"})
	return final.Location, err
}
