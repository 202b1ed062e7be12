"""The compact function: head events in; merged segments and FAISS snapshots out."""
