import io.tus.java.client.ProtocolException;
import io.tus.java.client.TusClient;
import io.tus.java.client.TusExecutor;
import io.tus.java.client.TusURLMemoryStore;
import io.tus.java.client.TusUpload;
import io.tus.java.client.TusUploader;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.util.Arrays;
import java.util.Map;

/** Uploads one file with tus-java-client: Driver CASE ENDPOINT PATH. Prints the upload's URL. */
public class Driver {
    private static final int MIB = 1024 * 1024;

    public static void main(String[] args) throws Exception {
        String way = args[0];
        File file = new File(args[2]);
        TusClient client = new TusClient();
        client.setUploadCreationURL(new URL(args[1]));
        client.enableResuming(new TusURLMemoryStore());
        String[] url = new String[1];
        if (way.equals("resume")) send(client, file, way, file.length() / 3, url);
        send(client, file, way, file.length(), url);
        System.out.println(url[0]);
    }

    /** Sends until `end`, with the client's own executor, which retries after a lost connection. */
    private static void send(TusClient client, File file, String way, long end, String[] url) throws Exception {
        TusExecutor executor = new TusExecutor() {
            @Override
            protected void makeAttempt() throws ProtocolException, IOException {
                TusUpload upload = new TusUpload(file);
                upload.setMetadata(Map.of("filename", "lesson.mp4"));
                TusUploader uploader = client.resumeOrCreateUpload(upload);
                uploader.setChunkSize(64 * 1024);
                if (!way.equals("whole")) uploader.setRequestPayloadSize(MIB);
                while (uploader.getOffset() < end && uploader.uploadChunk() > -1) continue;
                // As the client's users do: if the size is a multiple of the request size, this is an empty PATCH.
                if (end == file.length()) while (uploader.uploadChunk() > -1) continue;
                uploader.finish();
                url[0] = uploader.getUploadURL().toString();
            }
        };
        int[] delays = new int[40];
        Arrays.fill(delays, 500);
        executor.setDelays(delays);
        executor.makeAttempts();
    }
}
