"""The reconcile function: on a schedule, queues what differs and reports the gallery's delay."""
