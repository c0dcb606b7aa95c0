// Does on a plain broker what Strimzi's operators do with KafkaTopics and KafkaUsers (a list in JSON): makes the topics, and gives
// the rights. Then tries as one user to read one topic, and prints how that ended.
// Arguments: bootstrap servers, folder of PEM files, administrator, user, topic
import com.fasterxml.jackson.databind.ObjectMapper
import java.time.Duration
import org.apache.kafka.clients.admin.Admin
import org.apache.kafka.clients.admin.NewTopic
import org.apache.kafka.clients.consumer.KafkaConsumer
import org.apache.kafka.common.TopicPartition
import org.apache.kafka.common.acl.AccessControlEntry
import org.apache.kafka.common.acl.AclBinding
import org.apache.kafka.common.acl.AclOperation
import org.apache.kafka.common.acl.AclPermissionType
import org.apache.kafka.common.errors.TopicAuthorizationException
import org.apache.kafka.common.resource.PatternType
import org.apache.kafka.common.resource.ResourcePattern
import org.apache.kafka.common.resource.ResourceType
import org.apache.kafka.common.serialization.ByteArrayDeserializer

def (servers, folder, administrator, user, topic) = args
resources = new ObjectMapper().readValue(System.in, List)

def known(String servers, String folder, String user) {
    [
        'bootstrap.servers': servers, 'security.protocol': 'SSL', 'request.timeout.ms': '10000',
        'ssl.keystore.type': 'PEM', 'ssl.keystore.location': "$folder/${user}.pem".toString(),
        'ssl.truststore.type': 'PEM', 'ssl.truststore.location': "$folder/ca.crt".toString(),
    ]
}

Admin.create(known(servers, folder, administrator)).withCloseable { admin ->
    admin.createTopics(resources.findAll { it.kind == 'KafkaTopic' }.collect {
        // One broker has one copy.
        def config = it.spec.config.collectEntries { key, value -> [key, value.toString()] } + ['min.insync.replicas': '1']
        new NewTopic(it.spec.topicName, it.spec.partitions, (short) 1).configs(config)
    }).all().get()
    admin.createAcls(resources.findAll { it.kind == 'KafkaUser' }.collectMany { known ->
        known.spec.authorization.acls.collectMany { acl ->
            def type = acl.resource.patternType == 'prefix' ? PatternType.PREFIXED : PatternType.LITERAL
            def pattern = new ResourcePattern(ResourceType.fromString(acl.resource.type), acl.resource.name ?: 'kafka-cluster', type)
            acl.operations.collect {
                new AclBinding(pattern, new AccessControlEntry("User:$known.metadata.name", '*', AclOperation.fromString(it.replaceAll('(?<=.)(?=[A-Z])', '_')), AclPermissionType.ALLOW))
            }
        }
    }).all().get()
}

new KafkaConsumer(known(servers, folder, user), new ByteArrayDeserializer(), new ByteArrayDeserializer()).withCloseable {
    try {
        it.assign([new TopicPartition(topic, 0)])
        it.seekToBeginning([])
        it.poll(Duration.ofSeconds(5))
        println 'read'
    } catch (TopicAuthorizationException e) {
        println 'refused'
    }
}
