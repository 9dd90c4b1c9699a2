	_cleanup_(model__freep) struct model *model;
