// Reads Strimzi's resources (a list in JSON) by the classes by which its operators do, and says what these do not know.
import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectMapper

classes = [Kafka: 'kafka.Kafka', KafkaNodePool: 'nodepool.KafkaNodePool', KafkaTopic: 'topic.KafkaTopic', KafkaUser: 'user.KafkaUser']
mapper = new ObjectMapper()
faults = []

// A field that is not known is kept beside the others and then ignored; a value that is none, such as an operation that there
// is not, is read as nothing.
def compare(JsonNode given, Object read, String path) {
    if (read == null) {
        faults << "$path: $given is read as nothing"
    } else if (read instanceof Collection) {
        read.eachWithIndex { item, i -> compare(given.get(i), item, "$path[$i]") }
    } else if (read.getClass().name.startsWith('io.strimzi') && !(read instanceof Enum)) {
        read.additionalProperties.each { faults << "$path: no field $it.key" }
        given.fields().findAll { !(it.key in read.additionalProperties) }.each { field ->
            def properties = mapper.serializationConfig.introspect(mapper.constructType(read.getClass())).findProperties()
            compare(field.value, properties.find { it.name == field.key }.accessor.getValue(read), "$path.$field.key")
        }
    }
}

def resources = mapper.readTree(System.in)
resources.each { given ->
    def kind = given.get('kind').asText()
    def type = Class.forName("io.strimzi.api.kafka.model.${classes[kind]}")
    def version = given.get('apiVersion').asText() - 'kafka.strimzi.io/'
    def path = "$kind ${given.at('/metadata/name').asText()}"
    if (!(version in type.VERSIONS)) faults << "$path: no version $version"
    try {
        compare(given.get('spec'), mapper.treeToValue(given, type).spec, "$path: spec")
    } catch (com.fasterxml.jackson.core.JacksonException e) {
        faults << "$path: $e.originalMessage"
    }
}
faults.each { println it }
System.exit(faults ? 1 : 0)
