"""The demo workspace: what `make run` loads. What is there already is left as it is."""
import json

ID = "demo"
NAME = f"workspaces/{ID}"
GERMAN_NUMBER = "+493023125100"  # numbers that the regulators keep free for stories like this
ENGLISH_NUMBER = "+442079460100"

# Speaks, level, and which of the four phones is theirs.
WORKERS = (
    ("anna", ["de", "en"], 3),
    ("ben", ["en"], 2),
    ("carla", ["de"], 1),
    ("dev", ["en", "de"], 2),
)
QUEUES = (
    ("german", "German", "languages HAS 'de'"),
    ("english", "English", "languages HAS 'en'"),
    ("everyone", "Everyone", "1==1"),
)
# A caller goes to somebody experienced first, after a while to anybody of the language, then, more
# urgently, to everybody.
ROUTING = {"task_routing": {
    "filters": [
        {"filter_friendly_name": "German", "expression": "language == 'de'", "targets": [
            {"queue": "german", "expression": "worker.level >= 2", "timeout": 20},
            {"queue": "german", "priority": 10, "timeout": 60},
            {"queue": "everyone", "priority": 20}]},
        {"filter_friendly_name": "English", "expression": "language == 'en'", "targets": [
            {"queue": "english", "order_by": "worker.level DESC", "timeout": 30},
            {"queue": "everyone", "priority": 20}]},
    ],
    "default_filter": {"queue": "everyone"}}}


def load(client, phone_address, first_phone_port):
    """Makes what is missing; how many resources that were."""
    made = client.create("CreateWorkspace", workspaceId=ID, workspace={"displayName": "Demo"})
    made += client.create("CreateActivity", parent=NAME, activityId="break", activity={"displayName": "Break"})
    made += client.create("CreateTaskChannel", parent=NAME, taskChannelId="email",
                          taskChannel={"displayName": "E-mail"})
    for queue, display_name, members in QUEUES:
        made += client.create("CreateTaskQueue", parent=NAME, taskQueueId=queue,
                              taskQueue={"displayName": display_name, "targetWorkers": members})
    made += client.create("CreateWorkflow", parent=NAME, workflowId="support", workflow={
        "displayName": "Support", "configuration": json.dumps(ROUTING), "taskReservationTimeout": "30s"})
    for i, (worker, languages, level) in enumerate(WORKERS):
        contact = f"sip:{worker}@{phone_address}:{first_phone_port + 2 * i}"
        made += client.create("CreateWorker", parent=NAME, workerId=worker, worker={
            "displayName": worker.capitalize(),
            "attributes": json.dumps({"languages": languages, "level": level, "contact_uri": contact}),
            "channels": [{"taskChannel": f"{NAME}/taskChannels/voice", "capacity": 1},
                         {"taskChannel": f"{NAME}/taskChannels/chat", "capacity": 3}]})
    made += client.create("CreateTrunk", parent=NAME, trunkId="loopback", trunk={
        "displayName": "This machine", "sourceAddresses": ["127.0.0.1"]})
    for route, number, language in (("german", GERMAN_NUMBER, "de"), ("english", ENGLISH_NUMBER, "en")):
        made += client.create("CreateInboundRoute", parent=NAME, inboundRouteId=route, inboundRoute={
            "displayName": f"{route.capitalize()} line", "trunk": f"{NAME}/trunks/loopback", "calledNumber": number,
            "workflow": f"{NAME}/workflows/support", "attributes": json.dumps({"language": language})})
    return made
