def show(): pass
def studies(): pass
