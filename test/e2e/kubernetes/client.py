"""What a program does with the Python client; prints what it saw, as JSON.

python3 client.py KUBECONFIG CONTEXT SERVER NAMESPACE NAME
"""

import json
import sys
import threading

from kubernetes import client, config, watch

kubeconfig, context, server, namespace, name = sys.argv[1:]
settings = client.Configuration()
config.load_kube_config(kubeconfig, context, client_configuration=settings)
settings.host = server
api_client = client.ApiClient(settings)
core = client.CoreV1Api(api_client)
selector = f"by={name}"

who = client.AuthenticationV1Api(api_client).create_self_subject_review(body={}).status.user_info

metadata = {"name": name, "labels": {"by": name}}
core.create_namespaced_config_map(namespace, {"metadata": metadata, "data": {"colour": "blue"}})
listed = core.list_namespaced_config_map(namespace, label_selector=selector)


def change():
    core.patch_namespaced_config_map(name, namespace, {"data": {"colour": "red"}})
    core.delete_namespaced_config_map(name, namespace)


threading.Timer(0.5, change).start()
events = []
for event in watch.Watch().stream(
    core.list_namespaced_config_map,
    namespace,
    label_selector=selector,
    resource_version=listed.metadata.resource_version,
    timeout_seconds=60,
):
    events.append([event["type"], event["object"].data["colour"]])
    if event["type"] == "DELETED":
        break

json.dump(
    {
        "user": who.username,
        "groups": sorted(who.groups),
        "listed": [item.metadata.name for item in listed.items],
        "events": events,
    },
    sys.stdout,
)
