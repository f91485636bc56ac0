import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.Ruler;

/** Asks AWS's engine: a line {"pattern": ..., "event": ...} in, true or false out. */
public class Judge {
  public static void main(String[] unused) throws Exception {
    ObjectMapper json = new ObjectMapper();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      JsonNode n = json.readTree(line);
      System.out.println(Ruler.matchesRule(n.get("event").toString(), n.get("pattern").toString()));
    }
  }
}
